"""Agents: who is there, what each has done, how it changes."""
