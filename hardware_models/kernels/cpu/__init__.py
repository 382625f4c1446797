"""The arithmetic of `hardware_models.kernels.reference`, fast on a CPU: single precision, vectorized, one pass."""
