"""A chip on which every neuron has a curve of its own."""

import functools
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from typing_extensions import override

from hardware_models.array.neuron_array import NeuronArray, for_all, with_circuit_periphery
from hardware_models.array.parameters import Positive
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.effects import mismatch as spread
from hardware_models.effects.random_curves import features, mixed_curve, population_mean
from hardware_models.kernels.streams import Stream

FEATURES = 8
"""Random features of a curve."""


@with_circuit_periphery(mismatch=0.2, read_noise=0.05, adc_bits=6)
class RandomCurves(NeuronArray):
    r"""A layer whose neurons have nothing in common but a trend.

    .. math::
        y_j = \mathrm{ADC}\left[f_j(a_j) + \sigma \xi\right], \quad
        f_j(a) = \Phi\left(\sqrt{s}\, a + \sqrt{1 - s}\, h_j(a)\right), \quad
        a = g \circ (W q + b) + o

    The ``h`` are Gaussian processes of unit variance with a squared-exponential covariance of length ``l``, drawn for
    each neuron when a chip is made. ``Phi`` is the normal distribution. At each sum, outputs of all neurons are spread
    around the mean curve :math:`\Phi(a \sqrt{s / (2 - s)})`. A neuron's slope is positive at a share
    :math:`\Phi(l \sqrt{s / (1 - s)})` of the sums. A twin that believes the mean curve has the wrong sign at the
    others. A pulse changes a cell by :math:`e^{m \xi_{ji}}` times what was asked, with the ``m`` of the mismatch.

    Units:
        A weighted sum is typically 1: weights start as ``N(0, 1/n_in)`` and inputs have mean square 1.
        An output of 1 is the full scale of the neurons and of the converters.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        length_scale: ``l``, the smoothness of a curve: how far a sum moves until the curve is another.
        trend_share: ``s``, share of the rising trend in a curve's variance over typical sums. At 1 all neurons are the
            same monotone one. At 0 the mean curve is flat.
        prints: What the datasheet has as the neurons' curve: their mean, or nothing. Reads do not depend on it.

    Reference:
        No one device. Features of the processes: Rahimi and Recht, Advances in Neural Information Processing Systems
        20 (2007); 8 a curve.
    """

    length_scale: torch.Tensor
    mismatch: torch.Tensor
    efficiency: torch.Tensor
    trend_share: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        length_scale: Positive = 1.0,
        trend_share: Annotated[float, Ge(0), Le(1)] = 0.2,
        prints: Literal["mean", "nothing"] = "mean",
    ):
        design = for_all(trend_share=trend_share)
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=functools.partial(population_mean, share=design["trend_share"]) if prints == "mean" else None,
            length_scale=length_scale,
            **design,
        )
        frequencies = self._fabricated(Stream.FEATURE_FREQUENCY, FEATURES, n_out)
        weights = self._fabricated(Stream.FEATURE_WEIGHT, 2 * FEATURES, n_out)
        for name, value in zip(
            ("frequency", "amplitude", "phase"), features(frequencies, weights, self.length_scale), strict=True
        ):
            self._keep(name, value)
        self._keep("efficiency", spread.factor(self.mismatch, self._fabricated(Stream.EFFICIENCY, n_out, n_in)))

    @override
    def pulse(self, change):
        self.weights.add_(change * self.efficiency)

    def _curve(self, chips):
        law = functools.partial(mixed_curve, share=self.trend_share[chips])
        return self._law(law, chips, "frequency", "amplitude", "phase")
