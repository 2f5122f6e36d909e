"""Whom to trust with what: scores of agents over time, and their ranks."""
