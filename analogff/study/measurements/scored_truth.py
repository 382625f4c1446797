"""The true gradient of layers that descend a cross-entropy of class scores which they cannot differentiate."""

from typing import Any

import torch
from typing_extensions import override

from analogff.device import Observable, whole
from analogff.learning.head import cross_entropy_of_images
from analogff.learning.layer_local import mean_loss
from analogff.learning.rule import Rule
from analogff.network import Network
from analogff.timing import Inference

STEP = 1e-2
"""Change of an activity on either side, of a typical one of 1."""


class ScoredTruth(Rule):
    r"""Descends the losses of a rule's layers by the true slopes, and by central differences of the losses.

    .. math:: \frac{\partial L}{\partial y_{bj}} \approx \frac{L_b(y + h e_j) - L_b(y - h e_j)}{2 h}

    Args:
        network: Sealed at ORACLE.
        rule: Its ``objectives`` score the classes; they may learn in between.
    """

    name = "true gradient of scores"
    descends = "scores"

    def __init__(self, network: Network, rule: Any):
        super().__init__(network, rule.options, seed=rule.seed)
        self.rule = rule

    @classmethod
    @override
    def needs(cls, options):
        return Observable.ORACLE

    @classmethod
    @override
    def schedule(cls, options):
        return Inference()

    @override
    def step(self, images, labels):
        reads = [layer.measure for layer in self.network.layers]
        losses = []
        for passed in self.network.forward(self.network.present(images), reads):
            layer, x = self.network.layers[passed.layer], whole(passed.x)
            loss, error = self._by_activity(passed.layer, passed.y, labels)
            pulled = layer.pullback(x, error)
            error = error * layer.oracle(x).slope if pulled is None else pulled
            self.optimizers[passed.layer].descend(error, x)
            losses.append(loss)
        return mean_loss(losses)

    def _by_activity(self, layer: int, y: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean loss, ``(chips,)``, and its derivative by each activity."""
        gradient = torch.empty_like(y)
        for n in range(y.shape[-1]):
            up, down = y.clone(), y.clone()
            up[..., n] += STEP
            down[..., n] -= STEP
            gradient[..., n] = (self._losses(layer, up, labels) - self._losses(layer, down, labels)) / (2 * STEP)
        return self._losses(layer, y, labels).mean(-1), gradient / y.shape[1]

    def _losses(self, layer: int, y: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of each image, ``(chips, batch)``, of all groups of neurons."""
        objective = self.rule.objectives[layer]
        if hasattr(objective, "losses"):
            return objective.losses(y, labels).sum(-1)
        return cross_entropy_of_images(objective.scores(y), labels)
