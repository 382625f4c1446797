"""Stochastic pulse trains on the layer itself."""

import torch
from typing_extensions import override

from analogff.device import Sealed, outer, whole
from analogff.device.datasheet import column_of
from analogff.system import Work, work
from analogff.writes.trains import Generators, RunningScale, mean_of_chips, over, trains_work
from analogff.writes.write import ArrayWrite


class PulseTrains(ArrayWrite):
    r"""Gradient descent by pulses that coincide in the array, normalized by how large steps have been.

    .. math::
        \Delta W_{ji} = -\frac{\eta}{g} \sum_b e_{bj} x_{bi}, \qquad
        g^2 = \left\langle \frac{1}{n m} \sum_b |e_b|^2 |x_b|^2 \right\rangle

    so that a typical weight takes a step of the learning rate, as under Adam, while vectors agree no more than by
    chance. One number a layer takes the place of Adam's two registers a weight.

    Args:
        layer: Where to write.
        slots: Slots of a train.
        seed: Draws the trains.
    """

    state_names = ("generators", "scale")

    def __init__(self, layer: Sealed, slots: int, seed: int):
        super().__init__(layer)
        self.generators, self.scale = Generators(slots, seed), RunningScale()
        self.pulse_size = column_of(layer.datasheet.change_step).to(layer.torch_device)

    @property
    @override
    def kept_bytes(self):
        return 0

    @override
    def descend(self, errors, x, rate):
        self._fire(errors, whole(x), rate)

    @override
    def told(self, errors, x, rate):
        factor, (_, vectors, n_out) = self._fire(errors, whole(x), rate), errors.shape
        self.layer.compute(*told_work(vectors, x.shape[2], n_out))
        return outer(errors, x).mul_(-factor)

    @override
    def step(self, gradient, rate):
        self.layer.compute(*work.elementwise(self.cells, operations=3, operands=1))
        factor = over(rate, self.scale.update(mean_of_chips(torch.square, gradient).sqrt()))
        change = -factor * gradient
        self.target.pulse(change / self.weight)
        return change

    @property
    def target(self) -> Sealed:
        """The array that is written."""
        return self.layer

    @property
    def weight(self) -> float:
        """By how much a change of that array changes the layer's weights."""
        return 1.0

    def _fire(self, errors: torch.Tensor, x: torch.Tensor, rate: torch.Tensor | float) -> torch.Tensor:
        """Write, and return the factor of the outer product."""
        vectors, n_in, n_out = *x.shape[1:], errors.shape[2]
        self.layer.compute(*pulse_trains_work(vectors, n_in, n_out))
        factor = over(rate, self.scale.update(_size(errors, x)))
        rows, columns = self.generators.fire(-errors, x, factor / (self.weight * self.pulse_size))
        self.target.pulse_trains(rows, columns, self.generators.slots)
        return factor


def pulse_trains_work(vectors: int, n_in: int, n_out: int) -> Work:
    """Return the digital work of a step: trains, and two sums of squares a vector."""
    return trains_work(vectors, n_in, n_out) + work.elementwise(
        vectors * (n_in + n_out), operations=2, operands=1, results=0
    )


def told_work(vectors: int, n_in: int, n_out: int) -> Work:
    """Return the digital work of computing what a step is expected to change."""
    return work.outer(vectors, n_in, n_out) + work.elementwise(n_in * n_out, operations=1, operands=1)


def _size(errors: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the root mean square of a sum of outer products of vectors that agree by chance only, for each chip."""
    vectors, n_in, n_out = *x.shape[1:], errors.shape[2]

    def products(e: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        return (e.double().square().sum(-1) * own.double().square().sum(-1)).unsqueeze(-1)

    return (mean_of_chips(products, errors, x) * (vectors / (n_in * n_out))).sqrt()
