"""Peer normalization: no neuron is to be on always or never."""

from typing import Any

import torch

from analogff.device import chipwise
from analogff.forward_forward.layer_objective import LayerObjective

REMEMBERED = 0.9
START = 0.5


class Peers:
    r"""Draws the mean activity of each neuron of a layer towards that of its peers.

    .. math:: m_j \leftarrow 0.9\, m_j + 0.1\, \langle y_j \rangle_+, \qquad
              p_j = \lambda \left(\tfrac1n \textstyle\sum_k m_k - m_j\right)

    with the mean over the positive inputs of a step, and ``m = 0.5`` at first.

    Args:
        strength: ``lambda``; Hinton's is 0.03.
        layers: How many there are.

    Reference:
        Hinton's Matlab code for Forward-Forward (2022), ``lambdamean`` in ffnew.m. It adds ``p`` to ``(1 - P) y``,
        the derivative of the log-probability ``P`` of every positive input, whether the neuron is on or off.
    """

    def __init__(self, strength: float, layers: int):
        self.strength = strength
        self.means: list[torch.Tensor | None] = [None] * layers

    def push(self, layer: int, y: torch.Tensor) -> torch.Tensor:
        """Take note of the activities of positive inputs, ``(chips, batch, n)``, and return ``p``, ``(chips, n)``."""
        now = chipwise(lambda one: one.mean(0), y)
        old = self.means[layer]
        old = torch.full_like(now, START) if old is None else old.to(now.device)
        means = self.means[layer] = REMEMBERED * old + (1 - REMEMBERED) * now
        return self.strength * (means.mean(-1, keepdim=True) - means)

    def draw(self, layer: int, errors: torch.Tensor, positives: torch.Tensor, objective: LayerObjective) -> None:
        """Take ``p`` from a layer's errors of positive inputs, the first ones, in the units of the layer's loss.

        Shapes:
            ``errors``: ``(chips, batch + negatives, n)``; ``positives``, the activities: ``(chips, batch, n)``.
        """
        _, batch, n = positives.shape
        weight = torch.as_tensor(objective.steepness).view(-1, 1, 1) * objective.measure.unit(n) / batch
        errors[:, :batch] -= weight * self.push(layer, positives).unsqueeze(1)

    def state_dict(self) -> dict[str, Any]:
        """Return the running means."""
        return {"means": self.means}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.means = list(state["means"])
