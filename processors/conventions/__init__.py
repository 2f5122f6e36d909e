"""What a span says of itself, in one vocabulary, whatever dialect it speaks."""
