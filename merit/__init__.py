"""The program: command line, settings, jobs, and the one place that puts the parts together."""
