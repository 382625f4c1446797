"""Curves that an experimenter may believe neurons to have, whatever they are."""

import math
from collections.abc import Callable
from typing import Literal, get_args

import torch
import torch.nn.functional as F  # noqa: N812

Belief = Literal["datasheet", "relu", "linear", "saturating", "softplus", "exponential", "sigmoid", "non-monotone"]
BELIEFS: tuple[Belief, ...] = get_args(Belief)
_SUPPLY = 4.0
"""Where a transistor below threshold clips."""


def _exponential(a: torch.Tensor) -> torch.Tensor:
    return (a - 1).clamp(max=math.log(_SUPPLY)).exp()


CURVES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": F.relu,
    "linear": lambda a: a,
    "saturating": lambda a: torch.tanh(F.relu(a)),
    "softplus": lambda a: F.softplus(2 * a) / 2,
    "exponential": _exponential,
    "sigmoid": lambda a: torch.sigmoid(2 * (a - 1)),
    "non-monotone": lambda a: torch.sin(a).square(),
}
"""Textbook curves of sums whose typical size is 1, by the names of the families that `unknown` chips have: a
rectifier, none, a differential pair behind a rectifier, a transistor from weak to strong inversion, one below
threshold, an inverter, and one port of a Mach-Zehnder interferometer."""
