"""Which layers learn when."""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeVar

from typing_extensions import override

from analogff.learning.batch import Batch
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions, Local, mean_loss
from analogff.network.forward import Passed
from analogff.slopes.slopes import Reading

Order = Literal["simultaneous", "greedy", "pairs", "pipelined"]
_LEAST_LAYERS = {"simultaneous": 1, "greedy": 2, "pairs": 3, "pipelined": 2}


class OrderedOptions(LayerLocalOptions):
    """Options of every rule whose layers may take turns."""

    order: Order = "simultaneous"
    """All layers learn at every step; one after the other, each for an equal share of the training (`greedy`);
    overlapping `pairs` of neighbors one after the other; or all at every step, each from what the layer before made
    of the step before (`pipelined`). The learning rate fades with the whole training, not with a share."""

    def refuse_depth(self, widths: Sequence[int]) -> None:
        """Refuse options that do not fit the number of hidden layers.

        Raises:
            ValueError: If the order would be that of layers that learn all at once.
        """
        layers = len(widths)
        if layers < _LEAST_LAYERS[self.order]:
            raise ValueError(
                f'Expected at least {_LEAST_LAYERS[self.order]} hidden layers for order = "{self.order}". '
                f"Got {layers}, which would learn all at once. Take more layers, or leave order out."
            )


O = TypeVar("O", bound=OrderedOptions)  # noqa: E741


def learners(order: Order, layers: int, progress: float) -> range:
    r"""Return the layers that learn, counted from 0, when this share of the training is done.

    .. math:: k = \min(\lfloor S\,p \rfloor, S - 1), \qquad S = L \text{ (greedy)}, \quad S = L - 1 \text{ (pairs)}

    with layer ``k`` learning (greedy), or ``k`` and ``k + 1`` (pairs). A single layer always learns.
    """
    together = {"greedy": 1, "pairs": 2}.get(order, layers)
    shares = max(1, layers - together + 1)
    first = min(int(shares * progress), shares - 1)
    return range(first, min(first + together, layers))


class Ordered(LayerLocal[O]):
    """A layer-local rule whose layers learn in an order that the option `order` decides.

    Where layers take turns, those before the learners are read once, unprobed, and those after them not at all. A
    pipeline runs empty between epochs: a layer learns nothing in as many steps of each as there are layers before it,
    and the batches that are on their way at the end are dropped.

    Args:
        network: As `LayerLocal`.
        options: See `OrderedOptions`.
        seed: The learning seed.

    Raises:
        ValueError: If an option does not fit the number of layers.

    Reference:
        Greedy: Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 2, and pytorch/examples. Overlapping
        pairs, there of blocks that share a loss: Laskin et al., Parallel Training of Deep Networks with Local Updates
        (arXiv 2012.03837).
    """

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        options.refuse_depth([layer.datasheet.n_out for layer in network.layers])
        self.learning = learners(options.order, len(network.layers), 0.0)
        self._under_way: list[tuple[Iterator[Passed[Reading]], Local, Batch]] = []  # the newest first

    @classmethod
    @override
    def layer_shapes(cls, options, n_in, widths, classes):
        options.refuse_depth(widths)
        return super().layer_shapes(options, n_in, widths, classes)

    @override
    def advance(self, progress):
        super().advance(progress)
        self.learning = learners(self.options.order, len(self.network.layers), progress)

    @override
    def finish_epoch(self):
        super().finish_epoch()
        self._under_way = []

    @override
    def descend(self, x, local, batch, passing=None):
        if self.options.order != "pipelined":
            return super().descend(x, local, batch, passing)
        under_way = [(self.forward(x, batch), local, batch), *self._under_way][: len(self.network.layers)]
        losses = [self.learn(next(signal), local, batch) for signal, local, batch in under_way]
        self._under_way = under_way
        return mean_loss(losses)
