"""The order in which layers learn."""

import abc
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from analogff.support.options import OPTIONS

Order = Literal["simultaneous", "greedy", "pairs", "pipelined"]
_LEAST_LAYERS = {"simultaneous": 1, "greedy": 2, "pairs": 3, "pipelined": 2}
T = TypeVar("T")


class OrderOptions(BaseModel):
    """Option of rules whose layers may take turns."""

    model_config = OPTIONS

    order: Order = "simultaneous"
    """Order in which layers learn. `simultaneous`: all at every step. `greedy`: one after the other, each for an
    equal share of the training. `pairs`: overlapping pairs of neighbors, one after the other. `pipelined`: all at
    every step, each from the previous layer's output of the previous step. The learning rate decays over the whole
    training."""

    def refuse_depth(self, widths: Sequence[int]) -> None:
        """Refuse an order that does not fit the number of hidden layers.

        Raises:
            ValueError: If the order would be that of layers that learn all at once.
        """
        layers = len(widths)
        if layers < _LEAST_LAYERS[self.order]:
            raise ValueError(
                f'Expected at least {_LEAST_LAYERS[self.order]} hidden layers for order = "{self.order}". '
                f"Got {layers}, which would learn all at once. Take more layers, or leave order out."
            )


class LayerOrder(abc.ABC):
    """Decides which layers learn in a step, and from which signal.

    Args:
        layers: How many hidden layers there are.
    """

    def __init__(self, layers: int):
        self.layers = layers
        self.learning = range(layers)
        """The layers that learn in the next step; a signal goes as far as the last of them."""

    def advance(self, progress: float) -> None:  # noqa: B027
        """Say how much of the training is done, 0 to 1, before each step."""

    @abc.abstractmethod
    def due(self, signal: Iterator[T]) -> Iterator[T]:
        """Return the layers that are passed in this step, of a signal that is sent now and of earlier ones."""

    def finish_epoch(self) -> None:  # noqa: B027
        """Do what is due after each pass through the data."""


class InTurn(LayerOrder):
    r"""Neighboring layers learn together, the first ones first; all at once if there are no more layers than that.

    .. math:: k = \min(\lfloor S\,p \rfloor, S - 1), \qquad S = L - n + 1

    with ``n`` layers from ``k`` on learning when the share ``p`` of the training is done. Those before them are read
    once, unprobed, and those after them not at all.

    Args:
        layers: ``L``.
        together: ``n``.

    Reference:
        Greedy (1): Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 2, and pytorch/examples.
        Overlapping pairs (2), there of blocks that share a loss: Laskin et al., Parallel Training of Deep Networks with
        Local Updates (arXiv 2012.03837).
    """

    def __init__(self, layers: int, together: int):
        super().__init__(layers)
        self.together = together
        self.advance(0.0)

    @override
    def advance(self, progress):
        shares = max(1, self.layers - self.together + 1)
        first = min(int(shares * progress), shares - 1)
        self.learning = range(first, min(first + self.together, self.layers))

    @override
    def due(self, signal):
        return signal


class Pipelined(LayerOrder):
    """All layers learn at every step, each from what the layer before made of the step before.

    A pipeline runs empty between epochs. A layer learns nothing in as many steps of each epoch as there are layers
    before it, and the batches that are on their way at the end are dropped.
    """

    def __init__(self, layers: int):
        super().__init__(layers)
        self._under_way: list[Iterator[Any]] = []  # the newest first

    @override
    def due(self, signal):
        self._under_way = [signal, *self._under_way][: self.layers]
        return (next(one) for one in self._under_way)

    @override
    def finish_epoch(self):
        self._under_way = []


def stages(name: Order, layers: int) -> list[range]:
    """Return the layers that learn together, of each part of the training."""
    together = {"greedy": 1, "pairs": 2}.get(name, layers)
    return [range(first, first + together) for first in range(layers - together + 1)]


def make_order(name: Order, layers: int) -> LayerOrder:
    """Return the order that a study names."""
    if name == "pipelined":
        return Pipelined(layers)
    return InTurn(layers, {"greedy": 1, "pairs": 2}.get(name, layers))


def is_pipelined(options: object) -> bool:
    """Return whether layers learn side by side, each from another step."""
    return isinstance(options, OrderOptions) and options.order == "pipelined"
