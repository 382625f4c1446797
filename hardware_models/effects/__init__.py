"""Physics as pure functions, composed and never inherited; each takes per-chip tensors that broadcast."""
