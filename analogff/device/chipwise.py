"""Functions applied chip by chip, so that no chip's numbers depend on its neighbours."""

from collections.abc import Callable
from typing import Any

import torch


def chipwise(function: Callable[..., Any], *tensors: torch.Tensor) -> Any:
    """Apply a function to each chip's slice of the tensors, and stack the answers.

    On a CPU, vectorised transcendental functions round the end of a tensor otherwise than its body, so the same
    chip would answer differently alone and in a bank. A GPU takes all chips at once.

    Args:
        function: Acts on trailing axes, so that it means the same with and without the chip axis. Returns a
            tensor, or a named tuple of tensors.
        *tensors: Each ``(chips, ...)``.

    Returns:
        What the function returns, with the chip axis in front.
    """
    if tensors[0].is_cuda:
        return function(*tensors)
    answers = [function(*slices) for slices in zip(*tensors, strict=True)]
    if isinstance(answers[0], tuple):
        return type(answers[0])(*map(torch.stack, zip(*answers, strict=True)))
    return torch.stack(answers)
