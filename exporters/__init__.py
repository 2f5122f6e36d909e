"""Out: the store and its schema."""
