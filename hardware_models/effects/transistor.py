"""Transistors from weak to strong inversion: current, mismatch, and the CMOS inverter."""

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812

from hardware_models.effects.temperature import thermal_voltage

_HALVINGS = 7
_NEWTON_STEPS = 3


def inversion(v: torch.Tensor) -> torch.Tensor:
    r"""Current of one side of a channel over the specific current, as a function of its voltage over ``U_T``.

    .. math:: F(v) = \ln^2(1 + e^{v / 2})

    which is ``exp(v)`` in weak inversion and ``(v / 2)^2`` in strong inversion.

    Reference:
        Enz, Krummenacher and Vittoz, Analog Integrated Circuits and Signal Processing 8, 83 (1995).
    """
    return F.softplus(v / 2).square()


def saturated_current(overdrive_volts: torch.Tensor, slope_factor: torch.Tensor, kelvin: torch.Tensor) -> torch.Tensor:
    r"""Drain current of a saturated transistor, over its specific current ``I_S``.

    .. math:: \frac{I}{I_S} = \ln^2\left(1 + \exp \frac{V_G - V_T}{2 n U_T}\right)

    Args:
        overdrive_volts: ``V_G - V_T``, negative in weak inversion.
        slope_factor: ``n``.
        kelvin: Temperature, which sets ``U_T``.
    """
    return inversion(overdrive_volts / (slope_factor * thermal_voltage(kelvin)))


def threshold_spread(
    volt_metres: torch.Tensor, width_metres: torch.Tensor, length_metres: torch.Tensor
) -> torch.Tensor:
    r"""Standard deviation of the threshold voltages of transistors of one size.

    .. math:: \sigma = \frac{A_{VT}}{\sqrt{2 W L}}

    The difference of two then has ``A_VT / sqrt(W L)``, which defines the published constant.

    Args:
        volt_metres: ``A_VT``; 1e-9 is 1 mV um, about 1 for each nm of gate oxide.
        width_metres: ``W``.
        length_metres: ``L``.

    Reference:
        Pelgrom, Duinmaijer and Welbers, IEEE J. Solid-State Circuits 24, 1433 (1989).
    """
    return volt_metres / (2 * width_metres * length_metres).sqrt()


def inverter(
    input_volts: torch.Tensor,
    *,
    supply_volts: torch.Tensor,
    threshold_n: torch.Tensor,
    threshold_p: torch.Tensor,
    slope_factor: torch.Tensor,
    modulation_per_volt: torch.Tensor,
    kelvin: torch.Tensor,
) -> torch.Tensor:
    r"""Output voltage of a CMOS inverter, at which the currents of both transistors balance.

    .. math::
        I_n(V_i, V_o) = I_p(V_{dd} - V_i, V_{dd} - V_o), \quad
        I(V_G, V_D) = I_S \left[F\left(\tfrac{V_G - V_T}{n U_T}\right)
            - F\left(\tfrac{V_G - V_T}{n U_T} - \tfrac{V_D}{U_T}\right)\right] (1 + \lambda V_D)

    with ``F`` of `inversion`, and the same ``I_S`` for both, which cancels. The difference of the currents increases
    with ``V_o`` everywhere. Seven bisections and three steps of Newton's method find its zero to floating-point
    precision, up to 2 V. The last step carries the exact derivative.

    Args:
        input_volts: ``V_i``.
        supply_volts: ``V_dd``.
        threshold_n: ``V_T`` of the n-channel transistor, positive.
        threshold_p: That of the p-channel transistor, as a positive number.
        slope_factor: ``n`` of both.
        modulation_per_volt: Channel-length modulation ``lambda`` of both.
        kelvin: Temperature.

    Reference:
        Enz, Krummenacher and Vittoz (1995), the currents; Swanson and Meindl, IEEE J. Solid-State Circuits 7, 146
        (1972), the inverter in weak inversion.
    """
    volts = thermal_voltage(kelvin)
    on = (input_volts - threshold_n) / (slope_factor * volts)
    up = (supply_volts - input_volts - threshold_p) / (slope_factor * volts)
    pair = _Pair(on, up, inversion(on), inversion(up), supply_volts, modulation_per_volt, volts)
    with torch.no_grad():
        low, width = torch.zeros_like(on), supply_volts
        for _ in range(_HALVINGS):
            width = width / 2
            low = torch.where(pair.excess(low + width) < 0, low + width, low)
        output = low + width / 2
        for _ in range(_NEWTON_STEPS - 1):
            output = torch.clamp(output - _quotient(pair.excess(output), pair.slope(output)), low, low + width)
        last = pair.slope(output)
    return output - _quotient(pair.excess(output), last)


class _Pair(NamedTuple):
    """The two transistors of an inverter at one input."""

    on: torch.Tensor
    """Overdrive of the n-channel transistor over ``n U_T``."""
    up: torch.Tensor
    """That of the p-channel transistor."""
    forward_on: torch.Tensor
    """``F`` of them."""
    forward_up: torch.Tensor
    supply_volts: torch.Tensor
    modulation_per_volt: torch.Tensor
    volts: torch.Tensor
    """Thermal voltage."""

    def excess(self, output: torch.Tensor) -> torch.Tensor:
        """Return the difference of the currents over ``I_S``."""
        rest, modulation = self.supply_volts - output, self.modulation_per_volt
        down = (self.forward_on - inversion(self.on - output / self.volts)) * (1 + modulation * output)
        return down - (self.forward_up - inversion(self.up - rest / self.volts)) * (1 + modulation * rest)

    def slope(self, output: torch.Tensor) -> torch.Tensor:
        """Return the derivative of the difference by the output."""
        down = _conductance(self.on, self.forward_on, output, self.modulation_per_volt, self.volts)
        rest = self.supply_volts - output
        return down + _conductance(self.up, self.forward_up, rest, self.modulation_per_volt, self.volts)


def _conductance(
    v: torch.Tensor,
    forward: torch.Tensor,
    drain_volts: torch.Tensor,
    modulation_per_volt: torch.Tensor,
    volts: torch.Tensor,
) -> torch.Tensor:
    """Return the derivative of a channel's current over ``I_S`` by its drain voltage."""
    back = (v - drain_volts / volts) / 2
    root = F.softplus(back)
    steep = root * torch.sigmoid(back) / volts * (1 + modulation_per_volt * drain_volts)
    return steep + modulation_per_volt * (forward - root.square())


def _quotient(value: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Divide; far outside of the rails both are zero, and so is the quotient."""
    return value / slope.clamp(min=torch.finfo(slope.dtype).tiny)
