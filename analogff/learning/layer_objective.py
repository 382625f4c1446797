"""What one layer learns from."""

import abc
from typing import ClassVar, NamedTuple

import torch

from analogff.learning.batch import Batch
from analogff.slopes.slopes import Reading
from analogff.system import Work


class Judgment(NamedTuple):
    """The loss of a layer and its derivative."""

    loss: torch.Tensor
    """Mean over the batch, ``(chips,)``."""
    gradient: torch.Tensor
    """Derivative of the mean loss by the activity, ``(chips, batch, n)``."""


class LayerObjective(abc.ABC):
    """A loss of the activity of one layer. It may learn something of its own from what it judges."""

    state_names: ClassVar[tuple[str, ...]] = ()
    """Its attributes that change while it learns; see `analogff.support.state`."""

    @abc.abstractmethod
    def judge(self, y: torch.Tensor, mean_squares: torch.Tensor, batch: Batch) -> Judgment:
        """Return the loss and its derivative by the activity.

        Shapes:
            ``y``: ``(chips, batch, n)``; ``mean_squares``, those of ``y``: ``(chips, batch)``.
        """

    def work(self, vectors: int, n: int) -> Work:
        """Return the digital work of `judge` for activities of ``n`` neurons; none if a subclass does not say."""
        return Work()

    def back(self, reading: Reading, gradient: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the derivative by the weighted sums from that by the activity, which may be overwritten."""
        return reading.back(gradient)
