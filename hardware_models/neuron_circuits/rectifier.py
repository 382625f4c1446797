"""A rectifying amplifier with what a real one has: a knee, a leak and a supply."""

from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F  # noqa: N812
from annotated_types import Ge, Gt, Lt

from hardware_models.array.neuron_array import NeuronArray, for_all, printed, with_circuit_periphery
from hardware_models.array.parameters import Kelvin, NonNegative
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.effects.temperature import ROOM_KELVIN, thermal_voltage
from hardware_models.kernels.streams import Stream

NEURON_WATTS = 1e-6
"""Power of an amplifier that settles in 100 ns (assumed)."""


@with_circuit_periphery(read_noise=0.05)
class Rectifier(NeuronArray):
    r"""A rectifier whose knee is rounded by the thermal voltage, which leaks when it is off, and saturates.

    .. math::
        V_o = V - U \ln\left(1 + e^{(V - V_{dd}) / U}\right), \quad
        V = \ell V_i + (1 - \ell)\, U \ln\left(1 + e^{(V_i - V_r) / U}\right), \quad
        V_i = \max(V_r + u a + \delta_j, 0), \quad U = n U_T

    The output is ``V_o`` over the volts ``u`` of a sum of 1. All voltages are positive, from one supply: a sum of
    zero stands at the reference ``V_r``, and what the leak lets through there is a pedestal of ``l V_r``.

    Units:
        A sum of 1 is ``unit_volts``, and an output of 1 is ``unit_volts``; the greatest output is the supply.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        unit_volts: ``u``, volts of a sum of 1. A knee is small if this is many thermal voltages, 26 mV.
        reference_volts: ``V_r``, input at a sum of zero.
        supply_volts: ``V_dd``, where the output saturates.
        leak: ``l``, conduction when off over that when on; 1e-3 or less for a transistor, more for a short one.
        slope_factor: ``n`` of the rectifying diode or transistor; 1 for a diode, 1.2 to 1.6 for bulk CMOS.
        temperature_kelvin: Temperature, which sets the knee; the printed curve is that at 300 K.
        offset_volts: Spread of the input offsets from neuron to neuron; a few mV.

    Reference:
        No one circuit, and assumed values. The knee is the usual interpolation between a current that falls by e in
        every ``U`` and a straight line, as along the channel of a transistor: Enz, Krummenacher and Vittoz, Analog
        Integrated Circuits and Signal Processing 8, 83 (1995). Valid while neurons settle within a read.
    """

    offset_volts: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        unit_volts: Annotated[float, Gt(0)] = 0.1,
        reference_volts: Annotated[float, Ge(0)] = 0.4,
        supply_volts: Annotated[float, Gt(0)] = 0.8,
        leak: Annotated[float, Ge(0), Lt(1)] = 0.01,
        slope_factor: Annotated[float, Ge(1)] = 1.3,
        temperature_kelvin: Kelvin = ROOM_KELVIN,
        offset_volts: NonNegative = 0.005,
    ):
        design = for_all(
            unit_volts=unit_volts,
            reference_volts=reference_volts,
            supply_volts=supply_volts,
            leak=leak,
            slope_factor=slope_factor,
        )
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=printed(rectified, **design, temperature_kelvin=ROOM_KELVIN, shift_volts=0.0),
            output_max=design["supply_volts"] / design["unit_volts"],
            neuron_watts=NEURON_WATTS,
            temperature_kelvin=temperature_kelvin,
            offset_volts=offset_volts,
            **design,
        )
        self._design = tuple(design)
        self._keep("shift_volts", self.offset_volts * self._fabricated(Stream.INPUT_OFFSET, 1, n_out))

    def _curve(self, chips):
        return self._law(rectified, chips, *self._design, "temperature_kelvin", "shift_volts")


def rectified(
    a: torch.Tensor,
    *,
    unit_volts: torch.Tensor,
    reference_volts: torch.Tensor,
    supply_volts: torch.Tensor,
    leak: torch.Tensor,
    slope_factor: torch.Tensor,
    temperature_kelvin: torch.Tensor,
    shift_volts: torch.Tensor,
) -> torch.Tensor:
    """Return outputs of weighted sums; the equation and the arguments are those of `Rectifier`."""
    knee = slope_factor * thermal_voltage(temperature_kelvin)
    above = unit_volts * a + shift_volts
    through = leak * (reference_volts + above).clamp(min=0)
    wanted = through + (1 - leak) * knee * F.softplus(above / knee)
    return (wanted - knee * F.softplus((wanted - supply_volts) / knee)) / unit_volts
