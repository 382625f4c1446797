"""What a write is: of changes that digital logic knows, or of outer products that form in the array."""

import abc
from typing import ClassVar

import torch

from analogff.device import Sealed, SharedInputs

Rate = torch.Tensor | float
"""A learning rate, or that of each chip, ``(chips, 1, 1)``."""


class Write(abc.ABC):
    """How the weights of a layer are changed.

    Args:
        layer: Where to write.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    """What it remembers; see `analogff.support.state`."""

    def __init__(self, layer: Sealed):
        self.layer = layer

    def advance(self, progress: float) -> None:  # noqa: B027 (most writes stay as they are)
        """Say how much of the training is done, 0 to 1, before each step."""

    @property
    def cells(self) -> int:
        """The number of weights."""
        n_out, n_in = self.layer.datasheet.weight_shape
        return n_out * n_in

    @property
    @abc.abstractmethod
    def kept_bytes(self) -> int:
        """The digital memory that it keeps from step to step."""


class ChangeWrite(Write):
    """A write of changes that a digital optimizer has found."""

    @abc.abstractmethod
    def write(self, change: torch.Tensor, rate: Rate) -> torch.Tensor:
        """Write a change, ``(chips, n_out, n_in)``.

        Args:
            change: What the optimizer asks for, within what one write can do.
            rate: Its learning rate.

        Returns:
            The change that was asked of the array.
        """


class ArrayWrite(Write):
    """A write of outer products that form in an array, without digital outer product or optimizer."""

    @abc.abstractmethod
    def descend(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs, rate: Rate) -> None:
        """Take a step down ``sum_b e_bj x_bi``.

        Args:
            errors: Errors of the weighted sums, ``(chips, batch, n_out)``.
            x: Inputs, ``(chips, batch, n_in)``.
            rate: The learning rate.
        """

    @abc.abstractmethod
    def told(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs, rate: Rate) -> torch.Tensor:
        """As `descend`; returns the change that was asked of the layer, or that is expected. Its work counts."""

    @abc.abstractmethod
    def step(self, gradient: torch.Tensor, rate: Rate) -> torch.Tensor:
        """Take a step down a gradient that is no outer product, ``(chips, n_out, n_in)``; returns as `told`."""
