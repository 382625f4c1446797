"""Peer normalization: no neuron is to be on always or never."""

import torch

from analogff.device import chipwise
from analogff.system import Work, work

REMEMBERED = 0.9
START = 0.5


class Peers:
    r"""Draws the mean activity of each neuron of a layer towards that of its peers.

    .. math:: m_j \leftarrow 0.9\, m_j + 0.1\, \langle y_j \rangle_+, \qquad
              p_j = \lambda \left(\tfrac1n \textstyle\sum_k m_k - m_j\right)

    with the mean over the positive inputs of a step, and ``m = 0.5`` at first.

    Args:
        strength: ``lambda``; Hinton's is 0.03.

    Reference:
        Hinton's Matlab code for Forward-Forward (2022), ``lambdamean`` in ffnew.m. It adds ``p`` to ``(1 - P) y``,
        the derivative of the log-probability ``P`` of every positive input, whether the neuron is on or off.
    """

    state_names = ("mean",)

    def __init__(self, strength: float):
        self.strength = strength
        self.mean: torch.Tensor | None = None

    @staticmethod
    def work(vectors: int, n: int) -> Work:
        """Return the digital work for positive and as many negative activities: mean and difference of the former."""
        return work.elementwise(vectors * n / 2, operations=2, operands=2)

    def push(self, y: torch.Tensor) -> torch.Tensor:
        """Take note of the activities of positive inputs, ``(chips, batch, n)``, and return ``p``, ``(chips, n)``."""
        now = chipwise(lambda one: one.mean(0), y)
        old = torch.full_like(now, START) if self.mean is None else self.mean.to(now.device)
        self.mean = mean = REMEMBERED * old + (1 - REMEMBERED) * now
        return self.strength * (mean.mean(-1, keepdim=True) - mean)

    def draw(self, errors: torch.Tensor, positives: torch.Tensor, weight: torch.Tensor) -> None:
        """Take ``p``, times a weight, from a layer's errors of positive inputs, the first ones.

        Shapes:
            ``errors``: ``(chips, batch + negatives, n)``; ``positives``, the activities: ``(chips, batch, n)``;
            ``weight``: ``(chips or 1, 1, 1)``.
        """
        errors[:, : positives.shape[1]] -= weight * self.push(positives).unsqueeze(1)
