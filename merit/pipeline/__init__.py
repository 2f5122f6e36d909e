"""What becomes of what is received: kept in the journal, stored, derived."""
