"""A twin: a model of a chip with nominal curves and a record of requested changes."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import torch

from analogff.device import Observable, Sealed, chipwise, columns_of, reads_of, weighted_sums
from analogff.network.beliefs import CURVES, Belief
from analogff.system import Work, work

PRINTED_OPERATIONS = 2
"""Elementary operations of a curve in closed form and its slope."""


class Response(NamedTuple):
    """One layer's answer and its believed derivative."""

    y: torch.Tensor
    """Outputs, ``(chips, batch, n_out)``."""
    slope: torch.Tensor
    """Slope of each neuron, the same shape."""
    weights: torch.Tensor
    """Weights to carry an error back through, shaped as the layer's."""


class Register:
    r"""The requested weights of a layer: those that were programmed, and all changes since.

    .. math:: \tilde W = W_0 + \sum \text{requested changes}

    Where writes land only roughly it is wrong, and becomes more so with every update.

    Args:
        layer: Whose weights; nothing is written to it.
        seed: Draws the weights to begin with, ``N(0, 1/n_in)``, the same for every chip.
    """

    state_names = ("weights",)

    def __init__(self, layer: Sealed, seed: int):
        self.layer, sheet = layer, layer.datasheet
        generator = torch.Generator().manual_seed(seed)
        shape = sheet.weight_shape
        weights = torch.randn(shape, generator=generator) / shape[1] ** 0.5
        self.weights = weights.repeat(layer.chips, 1, 1).to(layer.torch_device)
        self.limit = sheet.weight_max

    def change(self, change: torch.Tensor) -> None:
        """Record a requested change, within the nominal weight limit."""
        self.layer.compute(*recording_work(change[0].numel()))
        self.weights += change
        if self.limit is not None:
            limit = torch.as_tensor(self.limit, dtype=change.dtype, device=change.device).view(-1, 1, 1)
            self.weights.clamp_(-limit, limit)


class Twin(Register):
    r"""A layer as an experimenter believes it to be: exact weights, a curve, no noise.

    .. math:: \tilde y = \tilde f(\tilde W x)

    It never reads a chip. Where neurons differ from the curve it is wrong, too.

    Args:
        layer: As `Register`.
        seed: As `Register`.
        curve: Value and slope of the neurons at weighted sums, ``(chips, batch, n_out)``; see `believed`.
    """

    def __init__(self, layer: Sealed, seed: int, curve: "SlopedCurve"):
        super().__init__(layer, seed)
        self.curve = curve
        self.operations = PRINTED_OPERATIONS
        """Elementary operations of the curve and its slope, a neuron."""

    def respond(self, x: torch.Tensor) -> Response:
        """Predict a layer's answer, ``x``: ``(chips, batch, n_in)``."""
        _, n_out, n_in = self.weights.shape
        windows = self.layer.datasheet.windows
        self.layer.compute(*response_work(x.shape[1] * reads_of(windows), n_in, n_out, self.operations))
        answers = self.curve(columns_of(weighted_sums(x, self.weights, windows), windows))
        y, slope = answers if windows is None else map(windows.join, answers)
        return Response(y, slope, self.weights)


class Curve(NamedTuple):
    """A neuron-wise curve at some weighted sums: its value and slope."""

    y: torch.Tensor
    slope: torch.Tensor


SlopedCurve = Callable[[torch.Tensor], Curve]
"""From weighted sums, ``(chips, batch, n_out)``, to values and slopes."""


def believed(layer: Sealed, belief: Belief, *, steepness: float = 1.0, offset: float = 0.0) -> SlopedCurve:
    r"""Return the curve that an experimenter believes the neurons of a layer to have; a digital layer has none.

    .. math:: \tilde f(a) = f(s (a + o))

    Args:
        layer: The layer.
        belief: ``f``: ``datasheet`` for the printed curve, or a name of `analogff.network.beliefs`.
        steepness: ``s``.
        offset: ``o``, in units of the weighted sums.

    Raises:
        BlackBoxError: If the datasheet is to be believed by a holder that did not declare TWIN.
    """
    if layer.datasheet.all_digital:
        return functools.partial(value_and_slope, CURVES["linear"])
    if belief == "datasheet":
        layer.demand(Observable.TWIN, "a twin")
    curve = (layer.datasheet.neuron or CURVES["linear"]) if belief == "datasheet" else CURVES[belief]
    if (steepness, offset) != (1, 0):
        curve = functools.partial(_altered, curve, steepness, offset)
    return functools.partial(value_and_slope, curve)


def _altered(
    curve: Callable[[torch.Tensor], torch.Tensor], steepness: float, offset: float, a: torch.Tensor
) -> torch.Tensor:
    return curve(steepness * (a + offset))


def value_and_slope(function: Callable[[torch.Tensor], torch.Tensor], a: torch.Tensor) -> Curve:
    """Return ``f(a)`` and ``f'(a)`` of a neuron-wise curve, ``a``: ``(chips, batch, n_out)``."""
    return chipwise(lambda a: _value_and_slope(function, a), a)


def _value_and_slope(function, a: torch.Tensor) -> Curve:
    with torch.enable_grad():
        a = a.detach().requires_grad_()
        y = function(a)
        (slope,) = torch.autograd.grad(y.sum(), a)
    return Curve(y.detach(), slope)


def recording_work(cells: int) -> Work:
    """Return the digital work of recording a change of so many weights, within a limit."""
    return work.elementwise(cells, operations=2, operands=2)


def response_work(vectors: int, n_in: int, n_out: int, operations: int = PRINTED_OPERATIONS) -> Work:
    """Return the digital work of a twin's answer: sums, then values and slopes of so many operations together."""
    curves = work.elementwise(vectors * n_out, operations=operations, operands=1, results=2)
    return work.product(vectors, n_in, n_out) + curves
