"""A chip with a small fixed random network behind its sums."""

import functools
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from typing_extensions import override

from analogff.device import product
from hardware_models.array.groups import chip_groups
from hardware_models.array.neuron_array import NeuronArray, for_all, with_circuit_periphery
from hardware_models.array.parameters import Positive
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.array.stages.stage import Stage
from hardware_models.effects import mismatch as spread
from hardware_models.effects.reservoir import neuron_alone, own_response, readout, unit_scale
from hardware_models.kernels.streams import Stream

SHIFT = 0.5
"""Spread of the operating points of the units, in units of the spread of their weighted sums."""


@with_circuit_periphery(mismatch=0.2, read_noise=0.05, adc_bits=6)
class Reservoir(NeuronArray):
    r"""A layer each of whose outputs depends on all of its sums.

    .. math::
        y = \mathrm{ADC}\left[\tfrac12 \left(1 + \tanh\left(\sqrt{1 - m}\, a + \sqrt{m}\, V \tanh(U a + c)\right)\right)
        + \sigma \xi\right], \quad a = g \circ (W q + b) + o

    ``U``, ``c`` and ``V`` are normal, drawn when a chip is made, and never learned. They are scaled so that
    :math:`U a + c` has the standard deviation ``drive``, and :math:`V \tanh(U a + c)` has 1, for sums that have 1.
    A pulse changes a cell by :math:`e^{m' \xi_{ji}}` times what was asked, with the :math:`m'` of the mismatch.

    The oracle's slope is the derivative of each output by its own sum, exactly. What an output owes to the other sums,
    a share of about ``m`` of its variance, is left out by rules that take slopes neuron by neuron. Backprop through the
    oracle uses the whole Jacobian, and is a bound. A probe of all neurons at once measures a row's sum of it.

    Units:
        A weighted sum is typically 1: weights start as ``N(0, 1/n_in)`` and inputs have mean square 1.
        An output of 1 is the full scale of the neurons and of the converters.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        share: ``m``, what the network has of the variance in front of the outputs. At 0 neurons are alone.
        units: Hidden units of the network.
        drive: Standard deviation of what goes into a unit. A small one makes the network linear.
        prints: What the datasheet has as the neurons' curve: that of a neuron without the network,
            (1 + tanh(sqrt(1 - m) a)) / 2, or nothing. Reads do not depend on it.

    Reference:
        No one device. Fixed random networks as physical layers: Tanaka et al., Neural Networks 115, 100 (2019).
    """

    drive: torch.Tensor
    mismatch: torch.Tensor
    efficiency: torch.Tensor
    share: torch.Tensor
    inward: torch.Tensor
    outward: torch.Tensor
    shift: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        share: Annotated[float, Ge(0), Le(1)] = 0.5,
        units: Annotated[int, Ge(1), Le(4096)] = 64,
        drive: Positive = 1.5,
        prints: Literal["neuron", "nothing"] = "neuron",
    ):
        design = for_all(share=share)
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=functools.partial(neuron_alone, **design) if prints == "neuron" else None,
            drive=drive,
            **design,
        )
        inward = self._fabricated(Stream.RESERVOIR_IN, units, n_out) * n_out**-0.5
        shift = SHIFT * self._fabricated(Stream.RESERVOIR_SHIFT, 1, units)
        scale = self.drive * (1 + SHIFT**2) ** -0.5
        self._keep("inward", scale * inward)
        self._keep("shift", scale * shift)
        outward = self._fabricated(Stream.RESERVOIR_OUT, n_out, units) * units**-0.5
        self._keep("outward", unit_scale(self.drive) * outward)
        self._keep("efficiency", spread.factor(self.mismatch, self._fabricated(Stream.EFFICIENCY, n_out, n_in)))

    @override
    def pulse(self, change):
        self.weights.add_(change * self.efficiency)

    def _curve(self, chips):
        return _identity

    def _neuron_stages(self):
        return (Network(),)

    def _slope(self, a):
        return torch.cat([self._own_slope(chips, a[chips]) for chips in chip_groups(a)])

    @override
    def pullback(self, x, error, bias=None):
        linear, a = self._operating_point(x, bias)
        error = error * linear.after
        return torch.cat([self._pulled(chips, a[chips], error[chips]) for chips in chip_groups(a)]) * linear.gain

    def _own_slope(self, chips: slice, a: torch.Tensor) -> torch.Tensor:
        share, (z, readout_slope) = self.share[chips], self._inside(chips, a)
        through = product(*own_response(z, self.inward[chips], self.outward[chips]))
        return readout_slope * ((1 - share).sqrt() + share.sqrt() * through)

    def _pulled(self, chips: slice, a: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
        share, (z, readout_slope) = self.share[chips], self._inside(chips, a)
        error = error * readout_slope
        of_units = product(error, self.outward[chips].mT.contiguous()) * (1 - z.square())
        return (1 - share).sqrt() * error + share.sqrt() * product(of_units, self.inward[chips].mT.contiguous())

    def _inside(self, chips: slice, a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the units' activities, and the slopes of the readout, of some chips."""
        share = self.share[chips]
        z = torch.tanh(product(a, self.inward[chips]) + self.shift[chips])
        v = (1 - share).sqrt() * a + share.sqrt() * product(z, self.outward[chips])
        return z, (1 - torch.tanh(v).square()) / 2


class Network(Stage):
    """From all sums to all outputs."""

    @override
    def apply(self, signal):
        chips, a = signal.chips, signal.value
        share = chips["share"]
        z = torch.tanh(product(a, chips["inward"]) + chips["shift"])
        return signal.replaced(readout((1 - share).sqrt() * a + share.sqrt() * product(z, chips["outward"])))


def _identity(a: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    return a
