"""The arithmetic of `hardware_models.kernels.reference`, fast on a CPU: single precision, vectorised, one pass."""
