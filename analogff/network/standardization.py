"""Normalization that removes the mean, too: of a layer, or of groups of its channels."""

import dataclasses

import torch
from typing_extensions import override

from analogff.device import SharedInputs
from analogff.network.normalization import Normalizer, length_of
from analogff.system import work


@dataclasses.dataclass(frozen=True)
class Standardization(Normalizer):
    r"""Digital layer normalization: mean 0 and mean square 1, without gains and offsets that are learned.

    .. math:: x = \frac{y - m}{d}, \qquad m = \tfrac1n \sum_j y_j, \qquad d^2 = \tfrac1n \sum_j (y_j - m)^2

    With `groups` it is group normalization: the channels of a layer form as many groups of neighbors, each with its
    whole map, and each has a mean and a divisor of its own. Images are one group. Inputs below 0 come of it.

    Reference:
        Ba, Kiros & Hinton, Layer Normalization (2016); Wu & He, Group Normalization (ECCV 2018).
    """

    centered = True
    groups: int = 1
    """Groups of channels of each layer."""
    channels: int = 0
    """Numbers of each point of a map; 0 for one group, whatever `groups` says."""

    @override
    def of_channels(self, channels):
        return dataclasses.replace(self, channels=channels)

    @override
    def forward(self, y, mean_squares=None):
        centered, divisor = self._apart(y)
        return (centered / divisor).view(y.shape)

    @override
    def forward_shared(self, x):
        """As `forward`, of images: one group."""
        n, lines = x.shared.shape[-1], x.marks.shape[-1]
        rest, first = x.shared[..., lines:], x.marks[:1, 0]
        mean = (rest.sum(-1, keepdim=True) + first.sum(-1, keepdim=True)) / n
        rest = rest - mean
        squares = rest.square().sum(-1, keepdim=True) + (first - mean).square().sum(-1, keepdim=True)
        divisor = length_of(squares / n)
        shared = torch.nn.functional.pad(rest / divisor, (lines, 0))
        return SharedInputs(shared, (x.marks - mean.unsqueeze(1)) / divisor.unsqueeze(1))

    @override
    def backward(self, error, x, y):
        r"""Carry an error, the derivative by ``x = forward(y)``, back to ``y``.

        .. math:: \frac{\partial L}{\partial y} = \frac1d \left(e - \tfrac1n \sum_j e_j
                  - x\, \tfrac1n \sum_j e_j x_j\right)
        """
        _, divisor = self._apart(y)
        error, x = self._grouped(error), self._grouped(x)
        along = (error * x).mean((-3, -1), keepdim=True)
        return ((error - error.mean((-3, -1), keepdim=True) - x * along) / divisor).view(y.shape)

    @override
    def work(self, vectors, n, marks=0):
        return work.standardization(vectors, n) + work.elementwise(marks, operations=2, operands=1)

    @override
    def backward_work(self, vectors, n):
        return work.standardization_backward(vectors, n)

    def _apart(self, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return numbers without the mean of their group, and its divisor."""
        grouped = self._grouped(y)
        centered = grouped - grouped.mean((-3, -1), keepdim=True)
        return centered, length_of(centered.square().mean((-3, -1), keepdim=True))

    def _grouped(self, y: torch.Tensor) -> torch.Tensor:
        """Return ``(..., n)`` as ``(..., points, groups, channels of a group)``."""
        if not self.channels:
            return y.unflatten(-1, (1, 1, -1))
        return y.unflatten(-1, (-1, self.groups, self.channels // self.groups))
