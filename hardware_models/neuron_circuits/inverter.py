"""A CMOS inverter as a neuron, on so low a supply that its step is soft."""

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le

from hardware_models.array.neuron_array import NeuronArray, for_all, printed, with_circuit_periphery
from hardware_models.array.parameters import Kelvin, NonNegative, Positive
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.effects import transistor
from hardware_models.effects.temperature import ROOM_KELVIN
from hardware_models.kernels.streams import Stream


@with_circuit_periphery(read_noise=0.01)
class Inverter(NeuronArray):
    r"""Two complementary transistors, whose output stands where their currents balance.

    .. math::
        I_n(V_i, V_o) = I_p(V_{dd} - V_i, V_{dd} - V_o), \quad y = 1 - V_o / V_{dd}, \quad V_i = V_b + u a, \quad
        I = I_S \left[F\left(\tfrac{V_G - V_T - \delta_j}{n U_T}\right)
            - F\left(\tfrac{V_G - V_T - \delta_j}{n U_T} - \tfrac{V_D}{U_T}\right)\right] (1 + \lambda V_D)

    with ``F(v) = ln^2(1 + exp(v / 2))``, weak to strong inversion. The voltage falls where the sum rises; its code is
    read complemented, which costs nothing, so that ``y`` rises. In the middle, below threshold and without
    channel-length modulation, its gain is ``(exp(V_dd / 2 U_T) - 1) / n``: 36 at 0.2 V, and 12,000 at 0.5 V, where
    a mV of mismatch is more than the whole step.

    Units:
        A sum of 1 is ``unit_volts``; an output of 1 is the supply. Both transistors have the same specific current,
        which is then of no account. Of temperature only what ``U_T`` does is modeled.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        unit_volts: ``u``, volts of a sum of 1.
        bias_volts: ``V_b``, input at a sum of zero; the step is at half the supply where both thresholds are alike.
        supply_volts: ``V_dd``.
        threshold_n_volts: ``V_T`` of the n-channel transistor.
        threshold_p_volts: That of the p-channel transistor, as a positive number.
        slope_factor: ``n`` of both, 1.2 to 1.6 in bulk CMOS.
        modulation_per_volt: Channel-length modulation ``lambda`` of both.
        temperature_kelvin: Temperature, which sets ``U_T``; the printed curve is that at 300 K.
        pelgrom_volt_metres: ``A_VT`` of both; 3.5e-9 V m is 3.5 mV um, typical of a 0.18 um process (assumed).
        width_metres: ``W`` of both; decides the mismatch only.
        length_metres: ``L`` of both; decides the mismatch only.

    Reference:
        Swanson and Meindl, IEEE J. Solid-State Circuits 7, 146 (1972), the inverter on a low supply; Enz, Krummenacher
        and Vittoz, Analog Integrated Circuits and Signal Processing 8, 83 (1995), the currents. Thresholds, lambda and
        sizes are assumed. Valid for neurons that settle within a read.
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
        unit_volts: Annotated[float, Gt(0)] = 0.005,
        bias_volts: float = 0.095,
        supply_volts: Annotated[float, Gt(0), Le(2)] = 0.2,
        threshold_n_volts: float = 0.3,
        threshold_p_volts: float = 0.3,
        slope_factor: Annotated[float, Ge(1), Le(3)] = 1.3,
        modulation_per_volt: Annotated[float, Ge(0)] = 0.1,
        temperature_kelvin: Kelvin = ROOM_KELVIN,
        pelgrom_volt_metres: NonNegative = 3.5e-9,
        width_metres: Positive = 2e-6,
        length_metres: Positive = 2e-6,
    ):
        design = for_all(
            unit_volts=unit_volts,
            bias_volts=bias_volts,
            supply_volts=supply_volts,
            threshold_n_volts=threshold_n_volts,
            threshold_p_volts=threshold_p_volts,
            slope_factor=slope_factor,
            modulation_per_volt=modulation_per_volt,
        )
        alike = dict(shift_n_volts=0.0, shift_p_volts=0.0)
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=printed(complement, **design, temperature_kelvin=ROOM_KELVIN, **alike),
            temperature_kelvin=temperature_kelvin,
            pelgrom_volt_metres=pelgrom_volt_metres,
            width_metres=width_metres,
            length_metres=length_metres,
            **design,
        )
        self._numbers = (*design, "temperature_kelvin", *alike)
        spread = transistor.threshold_spread(self.pelgrom_volt_metres, self.width_metres, self.length_metres)
        for name, stream in zip(alike, (Stream.TRANSISTOR, Stream.TRANSISTOR_P), strict=True):
            self._keep(name, spread * self._fabricated(stream, 1, n_out))

    def _curve(self, chips):
        return self._law(complement, chips, *self._numbers)


def complement(
    a: torch.Tensor,
    *,
    unit_volts: torch.Tensor,
    bias_volts: torch.Tensor,
    supply_volts: torch.Tensor,
    threshold_n_volts: torch.Tensor,
    threshold_p_volts: torch.Tensor,
    slope_factor: torch.Tensor,
    modulation_per_volt: torch.Tensor,
    temperature_kelvin: torch.Tensor,
    shift_n_volts: torch.Tensor,
    shift_p_volts: torch.Tensor,
) -> torch.Tensor:
    """Return ``1 - V_o / V_dd`` of weighted sums; the equation and the arguments are those of `Inverter`."""
    output = transistor.inverter(
        bias_volts + unit_volts * a,
        supply_volts=supply_volts,
        threshold_n=threshold_n_volts + shift_n_volts,
        threshold_p=threshold_p_volts + shift_p_volts,
        slope_factor=slope_factor,
        modulation_per_volt=modulation_per_volt,
        kelvin=temperature_kelvin,
    )
    return 1 - output / supply_volts
