"""Optimisation requests: when one is opened, how it goes on, and what came of it."""
