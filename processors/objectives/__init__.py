"""Objectives: the kinds of work that there are, and which of them a task's input is about."""
