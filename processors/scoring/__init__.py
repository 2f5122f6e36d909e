"""Scores: of a task (`tasks`, `points`), of an agent (`measures`, `shrinkage`, `posterior`, `recency`), and ranks (`ranking`)."""
