"""Questions: HTTP routes over the store, one `.sql` file a question."""
