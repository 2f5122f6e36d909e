"""Judging: what an evaluator is asked about a task, and what is made of its answer."""
