"""A differential pair as a neuron: the one way in which a current divides between two transistors."""

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le

from hardware_models.array.neuron_array import NeuronArray, for_all, printed, with_circuit_periphery
from hardware_models.array.parameters import Kelvin, NonNegative
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.effects.temperature import ROOM_KELVIN, thermal_voltage
from hardware_models.kernels.streams import Stream

NEURON_WATTS = 1e-7
"""A tail current of 100 nA, still weak inversion, from 1 V (assumed)."""


@with_circuit_periphery(read_noise=0.01)
class DifferentialPair(NeuronArray):
    r"""Two transistors in weak inversion that share a current; what is read is the part that one of them takes.

    .. math::
        I_1 - I_2 = I_b \tanh \frac{\Delta V}{2 n U_T}, \quad
        y = \frac{I_1}{I_b} = \frac{1}{2} \left(1 + \tanh \frac{\Delta V}{2 n U_T}\right), \quad
        \Delta V = u a - V_r + \delta_j

    The difference has 76 % of the tail current at ``2 n U_T``, 67 mV at 300 K. One of the two currents is positive and
    needs no signed converter, and holds the same information, since both add up to the tail current.

    Units:
        A sum of 1 is ``unit_volts`` between the gates; an output of 1 is the tail current ``I_b``, which scales all
        else and is no parameter.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        unit_volts: ``u``, volts of a sum of 1.
        reference_volts: ``V_r``, voltage of the other gate above that of a sum of zero: where the current divides in
            halves.
        slope_factor: ``n``, 1.2 to 1.6 in bulk CMOS; 1 for bipolar transistors.
        temperature_kelvin: Temperature, which sets ``U_T``; the printed curve is that at 300 K.
        offset_volts: Spread of the input offsets from neuron to neuron; ``A_VT / sqrt(W L)``, a few mV.

    Reference:
        Mead, Analog VLSI and Neural Systems (1989), chapter 5. Valid for a tail current well below the specific
        current of the transistors; above, the step widens.
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
        unit_volts: Annotated[float, Gt(0)] = 0.07,
        reference_volts: float = 0.07,
        slope_factor: Annotated[float, Ge(1), Le(3)] = 1.3,
        temperature_kelvin: Kelvin = ROOM_KELVIN,
        offset_volts: NonNegative = 0.005,
    ):
        design = for_all(unit_volts=unit_volts, reference_volts=reference_volts, slope_factor=slope_factor)
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=printed(share_of_tail, **design, temperature_kelvin=ROOM_KELVIN, shift_volts=0.0),
            neuron_watts=NEURON_WATTS,
            temperature_kelvin=temperature_kelvin,
            offset_volts=offset_volts,
            **design,
        )
        self._design = tuple(design)
        self._keep("shift_volts", self.offset_volts * self._fabricated(Stream.INPUT_OFFSET, 1, n_out))

    def _curve(self, chips):
        return self._law(share_of_tail, chips, *self._design, "temperature_kelvin", "shift_volts")


def share_of_tail(
    a: torch.Tensor,
    *,
    unit_volts: torch.Tensor,
    reference_volts: torch.Tensor,
    slope_factor: torch.Tensor,
    temperature_kelvin: torch.Tensor,
    shift_volts: torch.Tensor,
) -> torch.Tensor:
    """Return the share of the tail current that weighted sums draw; the arguments are those of `DifferentialPair`."""
    volts = unit_volts * a + (shift_volts - reference_volts)
    return torch.sigmoid(volts / (slope_factor * thermal_voltage(temperature_kelvin)))
