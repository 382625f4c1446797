"""A transistor as a neuron: exponential below its threshold, square above."""

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le

from hardware_models.array.neuron_array import NeuronArray, for_all, printed, with_circuit_periphery
from hardware_models.array.parameters import Kelvin, NonNegative, Positive
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.effects.temperature import ROOM_KELVIN
from hardware_models.effects.transistor import saturated_current, threshold_spread
from hardware_models.kernels.streams import Stream


@with_circuit_periphery(read_noise=0.02)
class Subthreshold(NeuronArray):
    r"""A MOS transistor in saturation, from weak to strong inversion, whose gate a sum drives.

    .. math::
        I = \min\left[I_S \ln^2\left(1 + \exp \frac{V_G - V_T - \delta_j}{2 n U_T}\right), I_{max}\right], \quad
        V_G = V_b + u a, \quad \delta_j \sim N\left(0, \frac{A_{VT}^2}{2 W L}\right)

    Far below the threshold this is ``I_S exp((V_G - V_T) / n U_T)``: an e-fold of current for each ``n U_T``, 34 mV
    at 300 K, and 14 to 16 % for 5 mV of threshold. Far above it is ``I_S ((V_G - V_T) / 2 n U_T)^2``. By default it
    passes from 4 nA at a sum of zero to the 40 nA at which its supply clips it, all of it weak inversion.

    Units:
        A sum of 1 is ``unit_volts`` at the gate, an output of 1 is ``unit_amperes``; the greatest output is
        ``supply_amperes``. Of temperature only what ``U_T`` does is modeled: threshold, mobility and specific
        current keep their values at 300 K.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        unit_volts: ``u``, volts of a sum of 1.
        bias_volts: ``V_b``, gate voltage at a sum of zero.
        threshold_volts: ``V_T``.
        specific_amperes: ``I_S``, twice ``n`` times the transconductance parameter times ``U_T`` squared; about 0.5 uA
            for a square n-channel transistor (assumed).
        slope_factor: ``n``, 1.2 to 1.6 in bulk CMOS.
        unit_amperes: Current of an output of 1.
        supply_amperes: Where a supply clips the current.
        temperature_kelvin: Temperature, which sets ``U_T``; the printed curve is that at 300 K.
        pelgrom_volt_metres: ``A_VT``; 3.5e-9 V m is 3.5 mV um, typical of a 0.18 um process (assumed).
        width_metres: ``W``; decides the mismatch only.
        length_metres: ``L``; decides the mismatch only.

    Reference:
        Enz, Krummenacher and Vittoz, Analog Integrated Circuits and Signal Processing 8, 83 (1995), the current;
        Pelgrom, Duinmaijer and Welbers, IEEE J. Solid-State Circuits 24, 1433 (1989), the mismatch. Valid for long
        channels: no velocity saturation, no leakage of the junction.
    """

    pelgrom_volt_metres: torch.Tensor
    width_metres: torch.Tensor
    length_metres: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        unit_volts: Annotated[float, Gt(0)] = 0.035,
        bias_volts: float = 0.24,
        threshold_volts: float = 0.4,
        specific_amperes: Annotated[float, Gt(0)] = 0.5e-6,
        slope_factor: Annotated[float, Ge(1), Le(3)] = 1.3,
        unit_amperes: Annotated[float, Gt(0)] = 10e-9,
        supply_amperes: Annotated[float, Gt(0)] = 40e-9,
        temperature_kelvin: Kelvin = ROOM_KELVIN,
        pelgrom_volt_metres: NonNegative = 3.5e-9,
        width_metres: Positive = 1e-6,
        length_metres: Positive = 1e-6,
    ):
        design = for_all(
            unit_volts=unit_volts,
            bias_volts=bias_volts,
            threshold_volts=threshold_volts,
            specific_amperes=specific_amperes,
            slope_factor=slope_factor,
            unit_amperes=unit_amperes,
            supply_amperes=supply_amperes,
        )
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=printed(drain_current, **design, temperature_kelvin=ROOM_KELVIN, shift_volts=0.0),
            output_max=design["supply_amperes"] / design["unit_amperes"],
            temperature_kelvin=temperature_kelvin,
            pelgrom_volt_metres=pelgrom_volt_metres,
            width_metres=width_metres,
            length_metres=length_metres,
            **design,
        )
        self._design = tuple(design)
        spread = threshold_spread(self.pelgrom_volt_metres, self.width_metres, self.length_metres)
        self._keep("shift_volts", spread * self._fabricated(Stream.TRANSISTOR, 1, n_out))

    def _curve(self, chips):
        return self._law(drain_current, chips, *self._design, "temperature_kelvin", "shift_volts")


def drain_current(
    a: torch.Tensor,
    *,
    unit_volts: torch.Tensor,
    bias_volts: torch.Tensor,
    threshold_volts: torch.Tensor,
    specific_amperes: torch.Tensor,
    slope_factor: torch.Tensor,
    unit_amperes: torch.Tensor,
    supply_amperes: torch.Tensor,
    temperature_kelvin: torch.Tensor,
    shift_volts: torch.Tensor,
) -> torch.Tensor:
    """Return currents of weighted sums, in units; the equation and the arguments are those of `Subthreshold`."""
    overdrive = unit_volts * a + (bias_volts - threshold_volts - shift_volts)
    current = specific_amperes / unit_amperes * saturated_current(overdrive, slope_factor, temperature_kelvin)
    return torch.minimum(current, supply_amperes / unit_amperes)
