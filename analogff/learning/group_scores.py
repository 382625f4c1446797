"""Class scores of groups of neurons, each by a projection of its own."""

from collections.abc import Sequence

import torch

from analogff.device import outer, product
from analogff.learning.adam import Adam
from analogff.learning.head import cross_entropy_of_images, softmax_error
from analogff.system import WORD_BYTES, Work, work


class GroupScores:
    r"""Projections of the activities of groups to class scores, each with a cross-entropy of its own.

    .. math:: s_g = \alpha M_g y_g, \qquad L_g = -\log \mathrm{softmax}(s_g)_t, \qquad s = \sum_g s_g

    for a label ``t``; ``s`` is what a layer answers by.

    Args:
        chips: How many chips there are; each has projections of its own.
        sizes: Neurons of each group, which are neighbors.
        classes: Number of labels.
        scale: ``alpha``.
        learning_rate: Of the projections, by Adam.
        generator: Draws them to begin with, ``N(0, 1/n_g)``, the same for all chips.
        device: Where they are.
    """

    state_names = ("weights", "optimizers")

    def __init__(
        self,
        chips: int,
        sizes: Sequence[int],
        classes: int,
        *,
        scale: float,
        learning_rate: float,
        generator: torch.Generator,
        device: torch.device,
    ):
        self.sizes, self.classes, self.scale, self.learning_rate = list(sizes), classes, scale, learning_rate
        drawn = [torch.randn(classes, n, generator=generator) / n**0.5 for n in sizes]
        self.weights = [start.to(device).repeat(chips, 1, 1) for start in drawn]
        self.optimizers = [Adam(tuple(weights.shape), device) for weights in self.weights]
        self.fade = 1.0
        """What is left of the learning rate."""

    def losses(self, y: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of each group for each image, ``(chips, batch, n)`` to ``(chips, batch, groups)``."""
        return torch.stack([cross_entropy_of_images(scores, labels) for scores in self._each(y)], dim=-1)

    def spread(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return each group's number at each of its neurons, ``(chips, batch, groups)`` to ``(chips, batch, n)``."""
        return torch.cat([numbers[..., g : g + 1].expand(-1, -1, n) for g, n in enumerate(self.sizes)], dim=-1)

    def learn(self, y: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take a step down the losses of the groups, and return their sum from before, ``(chips,)``."""
        loss = torch.zeros(y.shape[0], device=y.device)
        groups = y.split(self.sizes, dim=-1)
        for scores, of_group, weights, optimizer in zip(
            self._each(y), groups, self.weights, self.optimizers, strict=True
        ):
            loss = loss + cross_entropy_of_images(scores, labels).mean(-1)
            gradient = outer(self.scale * softmax_error(scores, labels), of_group.contiguous())
            weights.add_(optimizer.step(gradient, self.learning_rate * self.fade))
        return loss

    def scores(self, y: torch.Tensor) -> torch.Tensor:
        """Return what the layer answers by, ``(chips, batch, classes)``."""
        first, *others = self._each(y)
        for other in others:
            first = first + other
        return first

    def scores_work(self, vectors: int, n: int) -> Work:
        """Return the digital work of `scores`."""
        return _products(vectors, self.sizes, self.classes)

    @staticmethod
    def losses_work(vectors: int, sizes: Sequence[int], classes: int) -> Work:
        """Return that of `losses`, for groups of these sizes."""
        return _products(vectors, sizes, classes) + work.cross_entropy(vectors, len(sizes) * classes)

    @staticmethod
    def learning_work(vectors: int, sizes: Sequence[int], classes: int) -> Work:
        """Return that of `learn`."""
        cells = sum(sizes) * classes
        gradients = work.total(work.outer(vectors, n, classes) for n in sizes)
        own = work.adam(cells) + work.elementwise(cells, operations=1, operands=2)
        return _products(vectors, sizes, classes) + work.softmax_error(vectors, len(sizes) * classes) + gradients + own

    @staticmethod
    def bytes_of(widths: Sequence[int], classes: int) -> int:
        """Return the bytes of the projections of layers and of their registers."""
        cells = sum(widths) * classes
        return work.adam_bytes(cells) + WORD_BYTES * cells

    def _each(self, y: torch.Tensor) -> list[torch.Tensor]:
        """Return the scores of each group, ``(chips, batch, classes)``."""
        groups = y.split(self.sizes, dim=-1)
        return [self.scale * product(some.contiguous(), w) for some, w in zip(groups, self.weights, strict=True)]


def _products(vectors: int, sizes: Sequence[int], classes: int) -> Work:
    return work.total(work.product(vectors, n, classes) for n in sizes)
