"""The arithmetic of `hardware_models.kernels.reference` on a GPU, in Triton: all chips of a bank in one launch."""
