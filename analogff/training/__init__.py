"""The training loop, CUDA graphs of its steps, and checkpoints."""
