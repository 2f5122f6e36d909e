"""What could be done better, and requests to do it."""
