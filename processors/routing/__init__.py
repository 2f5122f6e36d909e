"""Who should do the next task: from observations of past tasks to a choice with its probability."""
