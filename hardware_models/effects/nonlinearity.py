"""Neuron curves ``y = f(a; s)`` of a weighted sum of typical size 1, with a steepness ``s``, nominally 1."""

import dataclasses
import functools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812

Steepness = torch.Tensor | float
CLAMP = 4.0
"""Supply limit of the exponential curve."""
LOG_CLAMP = math.log(CLAMP)


def relu(a: torch.Tensor, s: Steepness = 1.0) -> torch.Tensor:
    """``s max(a, 0)``: a rectifying amplifier."""
    return F.relu(a) * s


def saturating(a: torch.Tensor, s: Steepness = 1.0) -> torch.Tensor:
    """``tanh(s max(a, 0))``: a differential pair behind a rectifier, ``I tanh(dV / 2 n U_T)``."""
    return torch.tanh(F.relu(a) * s)


def softplus(a: torch.Tensor, s: Steepness = 1.0) -> torch.Tensor:
    """``log(1 + exp(2 s a)) / 2 s``: a transistor from weak to strong inversion."""
    return F.softplus(2 * s * a) / (2 * s)


def exponential(a: torch.Tensor, s: Steepness = 1.0) -> torch.Tensor:
    """``min(exp(s (a - 1)), 4)``: a transistor below threshold, ``I0 exp(V / n U_T)``, until it clips."""
    return (s * (a - 1)).clamp(max=LOG_CLAMP).exp()


def sigmoid(a: torch.Tensor, s: Steepness = 1.0) -> torch.Tensor:
    """``1 / (1 + exp(-2 s (a - 1)))``: an inverter."""
    return torch.sigmoid(2 * s * (a - 1))


def non_monotone(a: torch.Tensor, s: Steepness = 1.0) -> torch.Tensor:
    """``sin(s a)^2``: the power at one port of a Mach-Zehnder interferometer."""
    return torch.sin(s * a).square()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
    """A family of neurons."""

    curve: Callable[..., torch.Tensor]
    """``f(a, s)``."""
    high: float
    """Greatest output of its readout; the least is 0."""

    @property
    def nominal(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """The nominal curve of a datasheet."""
        return functools.partial(self.curve, s=1.0)


FAMILIES = {
    "saturating": Family(curve=saturating, high=1.0),
    "softplus": Family(curve=softplus, high=8.0),
    "exponential": Family(curve=exponential, high=CLAMP),
    "sigmoid": Family(curve=sigmoid, high=1.0),
    "non-monotone": Family(curve=non_monotone, high=1.0),
    "relu": Family(curve=relu, high=8.0),
}
"""Families by the names that study files use."""
