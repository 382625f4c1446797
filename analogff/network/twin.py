"""A twin: a model of a chip with nominal curves and a record of requested changes."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from analogff.device import Observable, Sealed, chipwise, product


class Response(NamedTuple):
    """One layer's answer and its believed derivative."""

    y: torch.Tensor
    """Outputs, ``(chips, batch, n_out)``."""
    slope: torch.Tensor
    """Slope of each neuron, the same shape."""
    weights: torch.Tensor
    """Weights to carry an error back through, ``(chips, n_out, n_in)``."""


class Twin:
    r"""A layer of the datasheet: exact weights, the nominal curve, no noise.

    .. math:: \tilde y = \tilde f(\tilde W x), \quad \tilde W = W_0 + \sum \text{changes asked for}

    It never reads a chip. Where writes land only roughly, or neurons differ from the printed curve, it is wrong,
    and becomes more so with every update.

    Args:
        layer: Whose datasheet to believe.
        seed: Draws the weights to begin with, ``N(0, 1/n_in)``, the same for every chip.
    """

    state_names = ("weights",)

    def __init__(self, layer: Sealed, seed: int):
        layer.demand(Observable.TWIN, "a twin")
        sheet = layer.datasheet
        generator = torch.Generator().manual_seed(seed)
        weights = torch.randn(sheet.n_out, sheet.n_in, generator=generator) / sheet.n_in**0.5
        self.weights = weights.repeat(layer.chips, 1, 1).to(layer.torch_device)
        self.curve = sheet.neuron or (lambda a: a)
        self.limit = sheet.weight_max

    def respond(self, x: torch.Tensor) -> Response:
        """Predict a layer's answer, ``x``: ``(chips, batch, n_in)``."""
        y, slope = value_and_slope(self.curve, product(x, self.weights))
        return Response(y, slope, self.weights)

    def change(self, change: torch.Tensor) -> None:
        """Record a requested change, within the nominal weight limit."""
        self.weights += change
        if self.limit is not None:
            limit = torch.as_tensor(self.limit, dtype=change.dtype, device=change.device).view(-1, 1, 1)
            self.weights.clamp_(-limit, limit)


class Curve(NamedTuple):
    """A neuron-wise curve at some weighted sums: its value and slope."""

    y: torch.Tensor
    slope: torch.Tensor


def value_and_slope(function: Callable[[torch.Tensor], torch.Tensor], a: torch.Tensor) -> Curve:
    """Return ``f(a)`` and ``f'(a)`` of a neuron-wise curve, ``a``: ``(chips, batch, n_out)``."""
    return chipwise(lambda a: _value_and_slope(function, a), a)


def _value_and_slope(function, a: torch.Tensor) -> Curve:
    with torch.enable_grad():
        a = a.detach().requires_grad_()
        y = function(a)
        (slope,) = torch.autograd.grad(y.sum(), a)
    return Curve(y.detach(), slope)
