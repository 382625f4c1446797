"""Codes that tell the perturbations of many parameters apart over time."""

import math
from collections.abc import Sequence
from typing import Literal

import torch

Code = Literal["signs", "walsh", "time", "frequency"]


def period(code: Code, parameters: int) -> int:
    """Return after how many perturbations a code begins again, and the estimate is exact to first order; 0 if never."""
    if code == "walsh":
        return 2 ** math.ceil(math.log2(parameters + 1))
    return parameters if code in ("time", "frequency") else 0


def perturbation(code: Code, index: int, sizes: Sequence[int]) -> list[torch.Tensor]:
    r"""Return one perturbation of a code that draws nothing, for layers of so many parameters.

    .. math:: \theta_i(t) = [i = t \bmod P] \quad\text{(time)}, \qquad
              \sqrt{\frac{2P}{P + 1}} \sin \frac{\pi (i + 1) (t \bmod P + 1)}{P + 1} \quad\text{(frequency)}, \qquad
              (-1)^{|(i + 1) \wedge t|} \quad\text{(Walsh)}

    Over a period any two parameters are orthogonal. The mean of squares is 1, in `time` the sum over all parameters.

    Args:
        code: The code.
        index: ``t``, which perturbation.
        sizes: Parameters of each layer; ``P`` is their sum.
    """
    parameters = sum(sizes)
    number = torch.arange(parameters)
    if code == "time":
        values = (number == index % parameters).float()
    elif code == "walsh":
        values = 1 - 2 * _parity((number + 1) & (index % period(code, parameters))).float()
    else:
        angle = (number + 1) * (index % parameters + 1) % (2 * (parameters + 1))  # whole numbers round nothing
        size = (2 * parameters / (parameters + 1)) ** 0.5
        values = (size * torch.sin(angle.double() * (math.pi / (parameters + 1)))).float()
    return list(values.split(list(sizes)))


def _parity(numbers: torch.Tensor) -> torch.Tensor:
    """Return whether each whole number has an odd number of bits set."""
    for shift in (32, 16, 8, 4, 2, 1):
        numbers = numbers ^ (numbers >> shift)
    return numbers & 1
