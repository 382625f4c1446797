"""What the kernels compute, in clear torch operations that run on any device."""

from hardware_models.kernels.reference.philox import add_normal_, normal, philox, uniform
from hardware_models.kernels.reference.read import read

__all__ = ["add_normal_", "normal", "philox", "read", "uniform"]
