"""The slope of every neuron as a function of its own activity, learned from probes."""

from typing import Any

import torch

BINS = 64
FORGET = 0.98
PRIOR = 4.0


class ResponseCurves:
    r"""Tables of mean slopes by activity, one a neuron.

    .. math:: s_{jk} = \frac{\sum_{y \in k} s + \lambda\, \bar s_k}{n_{jk} + \lambda}

    over the probes in which the activity of neuron ``j`` fell in bin ``k``, older ones counting less, with the mean
    of all neurons ``s_k`` behind it. The ends of the range are bins of their own, since a neuron at its limit has
    no slope there.

    Args:
        low: Least activity, ``(chips, 1, 1)``.
        high: Greatest activity; beyond it the last bin holds.
        width: Number of neurons.
    """

    def __init__(self, low: torch.Tensor, high: torch.Tensor, width: int):
        self.low, self.high = low, high
        self.sums = torch.zeros(len(low), BINS + 2, width, device=low.device)
        self.counts = torch.zeros_like(self.sums)
        self._table = self.sums

    def learn(self, y: torch.Tensor, slopes: torch.Tensor) -> None:
        """Add what a probe has shown, ``(chips, batch, width)`` both."""
        bins = self._bins(y)
        self.sums.mul_(FORGET).scatter_add_(1, bins, slopes)
        self.counts.mul_(FORGET).scatter_add_(1, bins, torch.ones_like(slopes))
        self.tabulate()

    def slopes(self, y: torch.Tensor) -> torch.Tensor:
        """Return the slope that belongs to each activity, ``(chips, batch, width)``."""
        return self._table.gather(1, self._bins(y))

    def state_dict(self) -> dict[str, Any]:
        """Return what was learned."""
        return {"low": self.low, "high": self.high, "sums": self.sums, "counts": self.counts}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "ResponseCurves":
        """Make the curves that `state_dict` described."""
        curves = cls(state["low"], state["high"], state["sums"].shape[2])
        curves.sums, curves.counts = state["sums"].clone(), state["counts"].clone()
        curves.tabulate()
        return curves

    def tabulate(self) -> None:
        """Bring the slopes up to date with the sums."""
        n = self.counts.sum(2, keepdim=True)
        common = self.sums.sum(2, keepdim=True) / n.clamp(min=1e-6)
        self._table = (self.sums + PRIOR * common) / (self.counts + PRIOR)

    def _bins(self, y: torch.Tensor) -> torch.Tensor:
        return ((y - self.low) * (BINS / (self.high - self.low)) + 1).nan_to_num(0.0).clamp(0, BINS + 1).long()
