"""Who should do the next task, and what came of it."""
