"""What was done: tasks, their steps, whole traces and workflows."""
