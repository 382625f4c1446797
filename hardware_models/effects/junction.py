"""A diode: its law, with series resistance and temperature."""

import torch

from hardware_models.effects.temperature import ROOM_KELVIN, arrhenius, thermal_voltage

SILICON_ELECTRONVOLTS = 1.12
"""Band gap of silicon at 300 K."""
CURRENT_EXPONENT = 3.0
"""Temperature exponent of a saturation current (SPICE's XTI)."""
_NEWTON_STEPS = 6
_LAST_EXPONENT = 80.0  # larger exponents overflow in single precision; no supply gives such a current


def diode_current(
    volts: torch.Tensor,
    saturation_amperes: torch.Tensor,
    ideality: torch.Tensor,
    series_ohm: torch.Tensor,
    kelvin: torch.Tensor,
) -> torch.Tensor:
    r"""Current through a diode and a resistance in series, of the voltage over both.

    .. math::
        I = I_S \left[\exp \frac{V - I R}{n U_T} - 1\right]
          = \frac{n U_T}{R}\, W\!\left(\frac{I_S R}{n U_T} \exp \frac{V + I_S R}{n U_T}\right) - I_S

    Solved for :math:`s = \ln(1 + I / I_S)` in :math:`s + k (e^s - 1) = V / n U_T` with :math:`k = I_S R / n U_T`. The
    left side is convex, so Newton's steps from above decrease to the solution; six reach floating-point precision. The
    last step carries the exact derivative. ``R = 0`` is Shockley's law.

    Reference:
        Shockley, Bell System Technical Journal 28, 435 (1949); Banwell and Jayakumar, Electronics Letters 36, 291
        (2000), the form with Lambert's W.
    """
    scale = ideality * thermal_voltage(kelvin)
    v, k = volts / scale, saturation_amperes * series_ohm / scale
    with torch.no_grad():
        least = torch.finfo(v.dtype).tiny
        s = torch.where(v > 0, torch.minimum(v, torch.log1p(v.clamp(min=0) / (k + least))), v / (1 + k))
        s = s.clamp(max=_LAST_EXPONENT)
        for _ in range(_NEWTON_STEPS - 1):
            s = (s - _miss(s, k, v) / (1 + k * s.exp())).clamp(max=_LAST_EXPONENT)
    s = s - _miss(s, k, v) / (1 + k * s.exp())
    return saturation_amperes * torch.expm1(s.clamp(max=_LAST_EXPONENT))


def _miss(s: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return s + k * torch.expm1(s) - v


def saturation_growth(
    kelvin: torch.Tensor, ideality: torch.Tensor, band_gap_electronvolts: float = SILICON_ELECTRONVOLTS
) -> torch.Tensor:
    r"""Factor on a diode's saturation current, which is 1 at 300 K.

    .. math::
        \left(\frac{T}{T_0}\right)^{3 / n} \exp\left[\frac{E_g}{n k_B} \left(\frac{1}{T_0} - \frac{1}{T}\right)\right]

    It outweighs the growth of ``U_T``: at a constant current the voltage over a silicon diode falls by about 2 mV a
    kelvin.

    Reference:
        As in SPICE; Massobrio and Antognetti, Semiconductor Device Modeling with SPICE, 2nd ed. (1993), chapter 1.
    """
    return (kelvin / ROOM_KELVIN) ** (CURRENT_EXPONENT / ideality) * arrhenius(
        kelvin, band_gap_electronvolts / ideality
    )
