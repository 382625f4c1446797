"""Piecewise polynomials on tensors."""

from typing import NamedTuple

import numpy as np
import torch


class Piecewise(NamedTuple):
    r"""Several functions with common breaks.

    .. math:: f_c(a) = \sum_k p_{kci}\, (a - a_i)^k, \quad a_i \le a < a_{i+1}

    Outside of the breaks each keeps the value that it has at the end.
    """

    breaks: torch.Tensor
    """``(K,)``, ascending."""
    coefficients: torch.Tensor
    """``(powers, functions, K - 1)``, ascending powers."""

    def __call__(self, a: torch.Tensor, which: torch.Tensor | int = 0) -> torch.Tensor:
        """Evaluate, each number by the function of an index that broadcasts to it; differentiable by ``a``."""
        breaks = self.breaks
        a = a.clamp(breaks[0], breaks[-1])
        at = torch.bucketize(a.detach(), breaks[1:-1], right=True)
        distance, index = a - breaks[at], at + which * (len(breaks) - 1)
        y = self.coefficients[-1].take(index)
        for power in self.coefficients.flip(0)[1:]:
            y = y * distance + power.take(index)
        return y

    def to(self, place: torch.device) -> "Piecewise":
        """Return it where it is needed."""
        return self if self.breaks.device == place else Piecewise(*(part.to(place) for part in self))


def tensors(breaks: np.ndarray, coefficients: np.ndarray) -> Piecewise:
    """Return float32 tensors of what was computed in double precision."""
    return Piecewise(*(torch.as_tensor(part, dtype=torch.float32).contiguous() for part in (breaks, coefficients)))


def lines(x: np.ndarray, y: np.ndarray) -> Piecewise:
    """Join points ``(K,)`` by lines; one point is a constant."""
    if len(x) == 1:
        x, y = np.array([x[0], x[0] + 1]), np.array([y[0], y[0]])
    return tensors(x, np.stack([y[:-1], np.diff(y) / np.diff(x)])[:, None])
