"""Whether there are kernels for where a tensor lives, for both sides of the door."""

from functools import cache
from importlib.util import find_spec

import torch


def has_triton(device: torch.device) -> bool:
    """Tell whether Triton's kernels can run there: on a CUDA device, where Triton is installed."""
    return device.type == "cuda" and _is_installed()


@cache
def _is_installed() -> bool:
    return find_spec("triton") is not None
