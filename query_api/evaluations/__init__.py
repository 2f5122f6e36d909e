"""What is said of tasks, by people, agents, judges and checks."""
