"""Published resistive cells, in units of a range of about -1 to 1; spreads are relative."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """The numbers of a cell."""

    step: float
    """Mean step of one pulse at zero."""
    device_spread: float
    """Spread of the steps from cell to cell."""
    cycle_spread: float
    """Spread of the steps from pulse to pulse."""
    upper_spread: float
    """Spread of the upper bounds."""
    lower_spread: float
    """Spread of the lower bounds."""
    asymmetry: float = 0.0
    """Mean of ``A`` in steps up ``(1 + A)`` and down ``(1 - A)``."""
    asymmetry_spread: float = 0.0
    """Spread of ``A`` from cell to cell."""
    corrupt: float = 0.0
    """Share of stuck cells."""


PRESETS = {
    # aihwkit IdealizedPreset: some 10,000 states
    "idealised": Preset(step=2e-4, device_spread=0.3, cycle_spread=0.3, upper_spread=0.3, lower_spread=0.3),
    # aihwkit ReRamSBPreset: some 1000 states, fitted to Gong et al., Nature Communications 9, 2102 (2018)
    "soft-bounds": Preset(
        step=0.002,
        device_spread=0.3,
        cycle_spread=3.75,
        upper_spread=0.24,
        lower_spread=0.40,
        asymmetry_spread=0.01,
    ),
    # aihwkit ReRamArrayOMPreset: 21 states, a measured array, Gong et al., IEDM 2022
    "om-2022": Preset(
        step=0.0949,
        device_spread=0.783,
        cycle_spread=0.416,
        upper_spread=0.35,
        lower_spread=0.57,
        corrupt=0.135,
    ),
    # aihwkit ReRamArrayHfO2Preset: 4 states, same source
    "hfo2": Preset(
        step=0.462,
        device_spread=0.713,
        cycle_spread=0.217,
        upper_spread=0.43,
        lower_spread=0.60,
        corrupt=0.098,
    ),
}
"""Cells by the names that study files use."""
