"""A saturable absorber as a neuron: more light finds it more transparent."""

import functools
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le

from hardware_models.array.neuron_array import NeuronArray, for_all, with_circuit_periphery
from hardware_models.array.parameters import LogSpread
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.effects import mismatch, photonics
from hardware_models.kernels.streams import Stream

SOURCE_EFFICIENCY = 0.1
"""Light of a laser over the power that it takes (typical; assumed)."""
READABLE_SUM = 8.0
"""Greatest output of the readout, in units of a sum."""

Absorber = Literal["thin", "deep"]


@with_circuit_periphery(read_noise=0.01)
class SaturableAbsorber(NeuronArray):
    r"""Light whose power is the rectified sum, through an absorber that bleaches, to a detector.

    .. math::
        y = \frac{P\, T}{u}, \quad P = u \max(a, 0), \quad
        T = \exp\left(-\frac{c_j a_0}{1 + P / P_s}\right), \quad c_j = e^{s \xi_j}

    The sum is the difference of the currents of two detectors, for weights of both signs, and drives a laser or a
    modulator; since light has no negative power, a negative sum is dark. An input by amplitude, ``P = u a^2``, would
    answer the same to both signs. Weak light is dimmed by ``exp(-a_0)``, strong light passes: a rectifier whose slope
    rises from ``exp(-a_0)`` to 1.

    The equation holds for a ``thin`` absorber. In a ``deep`` one light fades on its way, and what is behind sees less:

    .. math:: \ln T + c_j a_0 = (1 - T)\, P / P_s

    At a depth of 2 and the saturation power the first passes 37 % of the light, and the second 28 %.

    Units:
        A sum of 1 is ``unit_watts`` of light, and so is an output of 1; the readout takes up to 8.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        absorber: Where the light fades: thin or deep.
        absorption: ``a_0``, optical depth in the dark; 0 for none.
        saturation_watts: ``P_s``, power at which absorption is halved. Graphene on a waveguide and atoms in a cell
            differ by decades; only its ratio to ``unit_watts`` matters here.
        unit_watts: ``u``, power of a sum of 1.
        absorption_spread: Spread ``s`` of the depths from neuron to neuron (lognormal, median 1; assumed).

    Reference:
        As a neuron: Guo, Barrett, Wang and Lvovsky, Photonics Research 9, B71 (2021). Thin: absorption of two levels
        (no one source). Deep: Selden, British Journal of Applied Physics 18, 743 (1967), as in Shen et al., Nature
        Photonics 11, 441 (2017). Powers are assumed. Valid where the absorber recovers well within a read.
    """

    absorption_spread: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        absorber: Absorber = "thin",
        absorption: Annotated[float, Ge(0), Le(20)] = 2.0,
        saturation_watts: Annotated[float, Gt(0)] = 1e-3,
        unit_watts: Annotated[float, Gt(0)] = 1e-3,
        absorption_spread: LogSpread = 0.05,
    ):
        design = for_all(absorption=absorption, saturation_watts=saturation_watts, unit_watts=unit_watts)
        self._passed = _LAWS[absorber]
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=functools.partial(_LAWS[absorber], **design, copy=1.0),
            output_max=READABLE_SUM,
            neuron_watts=design["unit_watts"] / SOURCE_EFFICIENCY,
            absorption_spread=absorption_spread,
            **design,
        )
        self._design = tuple(design)
        self._keep("copy", mismatch.factor(self.absorption_spread, self._fabricated(Stream.ABSORPTION, 1, n_out)))

    def _curve(self, chips):
        return self._law(self._passed, chips, *self._design, "copy")


def through_thin(
    a: torch.Tensor,
    *,
    absorption: torch.Tensor | float,
    saturation_watts: torch.Tensor | float,
    unit_watts: torch.Tensor | float,
    copy: torch.Tensor | float,
) -> torch.Tensor:
    """Return outputs of weighted sums; the arguments are those of `SaturableAbsorber`, ``copy`` its ``c_j``."""
    light = a.clamp(min=0)
    return light * photonics.transmission(light * (unit_watts / saturation_watts), copy * absorption)


def through_deep(
    a: torch.Tensor,
    *,
    absorption: torch.Tensor | float,
    saturation_watts: torch.Tensor | float,
    unit_watts: torch.Tensor | float,
    copy: torch.Tensor | float,
) -> torch.Tensor:
    """As `through_thin`, where light fades on its way."""
    unit = unit_watts / saturation_watts
    return photonics.bleached(a * unit, copy * absorption) / unit


_LAWS = {"thin": through_thin, "deep": through_deep}
