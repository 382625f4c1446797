"""From cases to results: plan, tasks, workers, and what is kept of a run that was stopped."""
