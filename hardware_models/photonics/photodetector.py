"""A photodetector as a neuron: it squares."""

import functools
from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le
from typing_extensions import override

from analogff.device import PerChip
from hardware_models.array.neuron_array import NeuronArray, for_all, with_circuit_periphery
from hardware_models.array.parameters import Kelvin, LogSpread, NonNegative, Positive
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.array.stages.stage import Stage
from hardware_models.effects import mismatch, photonics
from hardware_models.effects.temperature import ROOM_KELVIN, shot_noise, thermal_noise
from hardware_models.kernels.streams import Stream

NEURON_WATTS = 1e-3
"""Power of an amplifier behind a detector (typical; assumed)."""
READABLE = 8.0
"""Greatest output of the readout, in units of a current."""


@with_circuit_periphery()
class Photodetector(NeuronArray):
    r"""Light whose field is the sum, on a detector that answers to its power, with the noise that light and heat have.

    .. math::
        I = \frac{R_j P}{1 + R_j P / I_s} + I_d, \quad P = |E|^2 = u a^2, \quad
        \sigma^2 = 2 q I \Delta f + \frac{4 k_B T}{R_L} \Delta f, \quad y = I / I_u

    The sum is interference: an amplitude of either sign, of which the detector sees the square. So the neuron is
    **even**, with a slope of either sign that no activity tells: a rule that assumes a slope that rises with the
    activity is wrong for every negative sum.

    Units:
        A sum of 1 is a field of ``sqrt(unit_watts)``; an output of 1 is the current ``unit_amperes``; the readout takes
        up to 8 of them.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        responsivity_ampere_per_watt: ``R``. Every photon an electron is 1.25 A/W at 1550 nm; above are avalanches,
            which have more noise than this.
        unit_watts: ``u``, light of a sum of 1.
        unit_amperes: ``I_u``, current of an output of 1.
        saturation_amperes: ``I_s``, greatest current of the light (assumed).
        dark_amperes: ``I_d``, current without light; germanium on silicon has some 0.1 uA (typical; assumed).
        responsivity_spread: Spread of the responsivities from neuron to neuron (lognormal, median 1; assumed).
        bandwidth_hertz: Of what is read; a hundredth of it would do for a read in 100 ns.
        load_ohm: ``R_L``, resistance that turns the current into a voltage, with its thermal noise.
        temperature_kelvin: ``T`` of the load.

    Reference:
        Saleh and Teich, Fundamentals of Photonics, chapter on photodetectors: responsivity and both noises (Schottky
        1918; Johnson 1928, Nyquist 1928). No one device. Valid while noise is far below the current's range.
    """

    responsivity_spread: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        responsivity_ampere_per_watt: Annotated[float, Gt(0), Le(1.25)] = 1.0,
        unit_watts: Annotated[float, Gt(0)] = 10e-6,
        unit_amperes: Annotated[float, Gt(0)] = 10e-6,
        saturation_amperes: Annotated[float, Gt(0)] = 1e-3,
        dark_amperes: Annotated[float, Ge(0)] = 100e-9,
        responsivity_spread: LogSpread = 0.02,
        bandwidth_hertz: NonNegative = 1e9,
        load_ohm: Positive = 1e3,
        temperature_kelvin: Kelvin = ROOM_KELVIN,
    ):
        design = for_all(
            responsivity_ampere_per_watt=responsivity_ampere_per_watt,
            unit_watts=unit_watts,
            unit_amperes=unit_amperes,
            saturation_amperes=saturation_amperes,
            dark_amperes=dark_amperes,
        )
        physical = dict(bandwidth_hertz=bandwidth_hertz, load_ohm=load_ohm, temperature_kelvin=temperature_kelvin)
        at_one = current_noise(torch.tensor(1.0), unit_amperes=design["unit_amperes"], **physical)
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=functools.partial(detected, **design, copy=1.0),
            output_max=READABLE,
            neuron_watts=NEURON_WATTS,
            printed=dict(read_noise=_printed(at_one, periphery.read_noise)),
            responsivity_spread=responsivity_spread,
            **physical,
            **design,
        )
        self._design = tuple(design)
        self._keep("copy", mismatch.factor(self.responsivity_spread, self._fabricated(Stream.RESPONSIVITY, 1, n_out)))

    def _curve(self, chips):
        return self._law(detected, chips, *self._design, "copy")

    def _neuron_stages(self):
        return (DetectorNoise(),)


class DetectorNoise(Stage):
    """Shot noise of the current, and thermal noise of the load."""

    @override
    def apply(self, signal):
        names = ("bandwidth_hertz", "load_ohm", "temperature_kelvin", "unit_amperes")
        return signal.add_noise(current_noise(signal.value, **{n: signal.chips[n] for n in names}), Stream.SHOT)


def detected(
    a: torch.Tensor,
    *,
    responsivity_ampere_per_watt: torch.Tensor | float,
    unit_watts: torch.Tensor | float,
    unit_amperes: torch.Tensor | float,
    saturation_amperes: torch.Tensor | float,
    dark_amperes: torch.Tensor | float,
    copy: torch.Tensor | float,
) -> torch.Tensor:
    """Return mean outputs of weighted sums; the arguments are those of `Photodetector`, ``copy`` is ``R_j / R``."""
    light = photonics.photocurrent(unit_watts * a.square(), copy * responsivity_ampere_per_watt, saturation_amperes)
    return (light + dark_amperes) / unit_amperes


def current_noise(
    y: torch.Tensor, *, unit_amperes: PerChip, bandwidth_hertz: PerChip, load_ohm: PerChip, temperature_kelvin: PerChip
) -> torch.Tensor:
    """Return the standard deviation of mean outputs, by shot noise and that of the load."""
    hertz, ohm, kelvin = (torch.as_tensor(n) for n in (bandwidth_hertz, load_ohm, temperature_kelvin))
    sigma = torch.hypot(shot_noise(y * unit_amperes, hertz), thermal_noise(1 / ohm, kelvin, hertz))
    return sigma / unit_amperes


def _printed(noise: torch.Tensor, further: PerChip) -> PerChip:
    total = torch.hypot(noise, torch.as_tensor(further, dtype=noise.dtype))
    return total if total.dim() else total.item()
