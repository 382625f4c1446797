"""From cases to results: plan, tasks, workers, and checkpoints of interrupted runs."""
