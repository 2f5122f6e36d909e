"""What was used, and at what cost: model calls, by model, provider and department, and metrics."""
