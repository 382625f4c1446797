"""Functions applied so that no chip's numbers depend on its neighbors.

On a CPU, vectorized transcendental functions round the end of a tensor otherwise than its body, so the same chip would
answer differently alone and in a bank. Sums and softmax along the last axis take each row by itself, and need no care.
"""

from collections.abc import Callable
from typing import Any

import torch

_WHOLE_VECTORS = 64  # two of the widest, which is what torch works through at a time


def chipwise(function: Callable[..., Any], *tensors: torch.Tensor) -> Any:
    """Apply a function to each chip's slice of the tensors, and stack the answers.

    A GPU takes all chips at once.

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


def samplewise(function: Callable[..., Any], *tensors: torch.Tensor) -> Any:
    """Apply a function of single numbers to one number a sample, of all chips at once.

    Rows are filled up to whole vectors, so that no chip's end is treated as an end.

    Args:
        function: Acts on each number by itself. Returns a named tuple of tensors.
        *tensors: Each ``(chips, batch)``.

    Returns:
        What the function returns.
    """
    batch = tensors[0].shape[1]
    missing = -batch % _WHOLE_VECTORS
    answers = function(*(torch.nn.functional.pad(t, (0, missing)) for t in tensors))
    return type(answers)(*(answer[:, :batch] for answer in answers))
