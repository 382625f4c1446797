"""A chip on which neurons act on each other."""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Gt, Le
from typing_extensions import override

from analogff.device import PerChip, product
from hardware_models import kernels
from hardware_models.array.declare import takes_fields
from hardware_models.array.neuron_array import NOT_OF_CIRCUITS, NeuronArray
from hardware_models.array.parameters import LogSpread, NonNegative
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming, with_programming
from hardware_models.array.stages.neuron import Limits
from hardware_models.array.stages.stage import Stage
from hardware_models.effects import mismatch as spread
from hardware_models.effects.mixing import mixing_matrix
from hardware_models.kernels.streams import Stream

_DIGITAL = tuple(name for name in NOT_OF_CIRCUITS if name != "family")


@takes_fields(
    Periphery, "periphery", dict(family="saturating", mismatch=0.2, read_noise=0.05, adc_bits=6), without=_DIGITAL
)
@with_programming()
class Coupled(NeuronArray):
    r"""A layer of a family's neurons that are wired to each other at random.

    .. math::
        \text{before:}\quad y = \mathrm{ADC}\left[f(g \circ (M W q + b) + o; s) + \sigma \xi\right], \qquad
        \text{behind:}\quad y = \mathrm{ADC}\left[M f(g \circ (W q + b) + o; s) + \sigma \xi\right]

    with :math:`M = 1 + \beta S`, ``S`` sparse, its diagonal zero, and its rows of length 1. It is drawn when a chip is
    made, and acts once a read. Behind the neurons their activities are mixed within their range, and the converters
    clip what lies outside of it. Steepness ``s`` and the efficiency of pulses are those of `unknown`.

    The oracle is exact ``before``: the true weights are :math:`M W`. A change of ``W`` still moves several sums at
    once. ``behind``, its slope is the derivative of a neuron's own output by its own sum. Rules that take slopes neuron
    by neuron leave out the rest of the Jacobian, :math:`\beta S_{jk} f'_k`. Backprop through the oracle uses all of it,
    and is a bound in both places. A probe of all neurons at once measures a row's sum, :math:`\sum_k M_{jk} f'_k`.

    Units:
        Those of `unknown`. A strength of 1 lets others contribute as much to an output as the neuron itself.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        strength: ``beta``, root mean square of what an output, or a sum, takes from others over its own part.
        density: Share of the other neurons that act on one.
        place: Whether sums are mixed ``before`` the neurons, or activities ``behind`` them.
        curve_spread: Spread of the steepness from chip to chip.
        prints: What the datasheet has as the neurons' curve: that of the family, or nothing. Reads do not depend on it.

    Reference:
        No one device. Mixing of neighbors only is ``crosstalk``, and of all neurons alike ``inhibition``.
    """

    strength: torch.Tensor
    density: torch.Tensor
    mismatch: torch.Tensor
    efficiency: torch.Tensor
    mixing: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        strength: NonNegative = 1.0,
        density: Annotated[PerChip, Gt(0), Le(1)] = 0.1,
        place: Literal["before", "behind"] = "before",
        curve_spread: LogSpread = 0.2,
        prints: Literal["family", "nothing"] = "family",
    ):
        self.place = place  # before the stages are chosen
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=periphery.neuron.nominal if prints == "family" else None,
            output_max=periphery.neuron.high,
            strength=strength,
            density=density,
            curve_spread=curve_spread,
        )
        partners = kernels.uniform(self.seeds, 0, n_out, n_out, Stream.COUPLED_WITH)
        weights = self._fabricated(Stream.COUPLING_WEIGHT, n_out, n_out)
        self._keep("mixing", mixing_matrix(weights, partners, self.strength, self.density))
        self._keep("efficiency", spread.factor(self.mismatch, self._fabricated(Stream.EFFICIENCY, n_out, n_in)))

    @override
    def pulse(self, change):
        self.weights.add_(change * self.efficiency)

    @override
    def pullback(self, x, error, bias=None):
        if self.place == "before":
            return None
        linear, a = self._operating_point(x, bias)
        return product(error * linear.after, self.mixing.mT.contiguous()) * self._slope(a) * linear.gain

    def _sum_stages(self):
        return (MixingOfSums(),) if self.place == "before" else ()

    def _neuron_stages(self):
        return (Limits(), Mixing()) if self.place == "behind" else ()


class Mixing(Stage):
    """Lines that act on others."""

    @override
    def apply(self, signal):
        return signal.replaced(product(signal.value, signal.chips["mixing"]))


class MixingOfSums(Mixing):
    """Sums that act on others, which is as if the weights were mixed."""

    @override
    def linearize(self, response, chips):
        return response.replaced(mixing=chips["mixing"])
