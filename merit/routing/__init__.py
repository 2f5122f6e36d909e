"""What routing knows, kept in memory, and its decisions, written down."""
