"""A diode as a neuron."""

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le

from hardware_models.array.neuron_array import NeuronArray, for_all, printed, with_circuit_periphery
from hardware_models.array.parameters import Kelvin, LogSpread
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.effects import mismatch
from hardware_models.effects.junction import diode_current, saturation_growth
from hardware_models.effects.temperature import ROOM_KELVIN
from hardware_models.kernels.streams import Stream

NEURON_WATTS = 1e-6
"""About 1 uA from a supply of 1 V, half of which is over the diode (assumed)."""


@with_circuit_periphery(read_noise=0.05)
class Diode(NeuronArray):
    r"""A silicon diode with a resistance in series, and the current that a voltage drives through both.

    .. math::
        I = \min\left\{c_j I_S \left[\exp \frac{V - I R}{n U_T} - 1\right], I_{max}\right\}, \quad
        V = V_b + u a, \quad c_j = e^{s \xi_j}

    Exponential while the voltage over the resistance is below ``n U_T``, and straight where it is far above. Heat moves
    it strongly: the saturation current doubles in less than 10 K, so that the voltage at a constant current falls by
    about 2 mV a kelvin.

    Units:
        A sum of 1 is ``unit_volts``; an output of 1 is ``unit_amperes``, and the greatest output ``supply_amperes``.
        Reverse currents, of 10 fA, are below the range of the readout, which starts at 0.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        unit_volts: ``u``, volts of a sum of 1.
        bias_volts: ``V_b``, voltage at a sum of zero.
        saturation_amperes: ``I_S`` at 300 K.
        ideality: ``n``, from 1 (diffusion) to 2 (recombination in the junction).
        series_ohm: ``R``, 0 for none.
        unit_amperes: Current of an output of 1.
        supply_amperes: Where a supply clips the current.
        temperature_kelvin: Temperature of ``U_T`` and of ``I_S``; the printed curve is that at 300 K.
        saturation_spread: Spread ``s`` of the saturation currents from neuron to neuron (lognormal, median 1).

    Reference:
        Shockley, Bell System Technical Journal 28, 435 (1949). ``I_S`` is that of a small-signal diode, the other
        values are assumed. Valid in forward direction below high injection; no breakdown.
    """

    saturation_spread: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        unit_volts: Annotated[float, Gt(0)] = 0.03,
        bias_volts: float = 0.45,
        saturation_amperes: Annotated[float, Gt(0)] = 1e-14,
        ideality: Annotated[float, Ge(1), Le(2)] = 1.0,
        series_ohm: Annotated[float, Ge(0)] = 5e3,
        unit_amperes: Annotated[float, Gt(0)] = 1e-6,
        supply_amperes: Annotated[float, Gt(0)] = 8e-6,
        temperature_kelvin: Kelvin = ROOM_KELVIN,
        saturation_spread: LogSpread = 0.1,
    ):
        design = for_all(
            unit_volts=unit_volts,
            bias_volts=bias_volts,
            saturation_amperes=saturation_amperes,
            ideality=ideality,
            series_ohm=series_ohm,
            unit_amperes=unit_amperes,
            supply_amperes=supply_amperes,
        )
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=printed(forward_current, **design, temperature_kelvin=ROOM_KELVIN, area=1.0),
            output_max=design["supply_amperes"] / design["unit_amperes"],
            neuron_watts=NEURON_WATTS,
            temperature_kelvin=temperature_kelvin,
            saturation_spread=saturation_spread,
            **design,
        )
        self._design = tuple(design)
        self._keep("area", mismatch.factor(self.saturation_spread, self._fabricated(Stream.JUNCTION, 1, n_out)))

    def _curve(self, chips):
        return self._law(forward_current, chips, *self._design, "temperature_kelvin", "area")


def forward_current(
    a: torch.Tensor,
    *,
    unit_volts: torch.Tensor,
    bias_volts: torch.Tensor,
    saturation_amperes: torch.Tensor,
    ideality: torch.Tensor,
    series_ohm: torch.Tensor,
    unit_amperes: torch.Tensor,
    supply_amperes: torch.Tensor,
    temperature_kelvin: torch.Tensor,
    area: torch.Tensor,
) -> torch.Tensor:
    """Return currents of weighted sums, in units; the equation is that of `Diode`, ``area`` its ``c_j``."""
    saturation = area * saturation_amperes * saturation_growth(temperature_kelvin, ideality)
    current = diode_current(bias_volts + unit_volts * a, saturation, ideality, series_ohm, temperature_kelvin)
    return torch.minimum(current, supply_amperes) / unit_amperes
