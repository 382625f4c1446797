"""Published cells that learn by pulses, in units of a range of about -1 to 1; spreads are relative.

All but the floating gate are fits of aihwkit (1.1, ``simulator/presets/devices.py``) to the measurements named at each,
with these differences: steps spread lognormally in place of normally, so that no cell steps backwards; its
``write_noise_std``, drawn anew for what is read after each write, is left out; the two arrays of 2022 have the stuck
cells that were measured, which it sets to none, and stuck anywhere in their range, where it has them near zero; and
their steps up and down are alike, where it has a spread of 1 %.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import torch

from hardware_models.effects import write


@dataclasses.dataclass(frozen=True)
class Law:
    """How far pulses move a cell."""

    move: Callable[..., torch.Tensor]
    """Takes the state, the signed pulses, and the tensors below; returns the change."""
    takes: tuple[str, ...]
    """Names of the tensors of the array that it needs."""


_SIDES = ("step_up", "step_down")
SOFT_BOUNDS = Law(write.soft_bounds, (*_SIDES, "upper", "lower"))
"""Steps that shrink to nothing towards each cell's own bounds."""
LINEAR = Law(write.linear_step, (*_SIDES, "fall_up", "fall_down"))
"""Steps that are a line in the state, up to hard bounds; with slopes of zero, constant ones."""
TUNNELLING = Law(write.tunnelling, (*_SIDES, "fold"))
"""Steps that fall exponentially with the charge already there."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """The numbers of a cell."""

    law: Law = SOFT_BOUNDS
    """How its steps depend on its state."""
    step: float
    """Mean step of one pulse at zero."""
    device_spread: float
    """Spread of the steps from cell to cell (lognormal)."""
    cycle_spread: float
    """Spread of the steps from pulse to pulse."""
    upper_bound: float = 1.0
    """Mean upper bound."""
    lower_bound: float = -1.0
    """Mean lower bound."""
    upper_spread: float
    """Spread of the upper bounds."""
    lower_spread: float
    """Spread of the lower bounds."""
    asymmetry: float = 0.0
    """Mean of ``A`` in steps up ``(1 + A)`` and down ``(1 - A)``."""
    asymmetry_spread: float = 0.0
    """Spread of ``A`` from cell to cell."""
    slope_up: float = 0.0
    """Share of the up-step that is lost on the way from zero to the mean upper bound (``gamma``); `LINEAR` only."""
    slope_down: float = 0.0
    """As ``slope_up``, downwards."""
    slope_spread: float = 0.0
    """Spread of both slopes from cell to cell, in units of a slope."""
    even_noise: bool = False
    """Whether the noise of a pulse is that of a step at zero, wherever the cell is, or that of its own step."""
    corrupt: float = 0.0
    """Share of stuck cells."""

    @property
    def states(self) -> float:
        """Up-steps at zero in the range: the number of states that papers print."""
        return (self.upper_bound - self.lower_bound) / (self.step * (1 + self.asymmetry))

    def numbers(self) -> dict[str, float]:
        """Return what is a number, and so one each for the chips of a bank."""
        return {name: value for name, value in vars(self).items() if isinstance(value, float)}


def one_side_smaller(step: float, up_down: float, spread: float) -> dict[str, Any]:
    """Translate aihwkit's ``up_down``, by which it makes the down-step smaller, into mean step and asymmetry."""
    mean = 1 - up_down / 2
    return dict(step=step * mean, asymmetry=up_down / 2 / mean, asymmetry_spread=spread / mean)


_GONG_2018 = Cell(  # ReRamSBPreset: some 1000 states, fitted to Gong et al., Nature Communications 9, 2102 (2018)
    step=0.002,
    device_spread=0.3,
    cycle_spread=3.75,
    upper_bound=1.25,
    lower_bound=-0.75,
    upper_spread=0.24,
    lower_spread=0.40,
    asymmetry_spread=0.01,
    even_noise=True,
)
_IDEALISED = Cell(  # IdealizedPreset: some 10,000 states
    law=LINEAR, step=2e-4, device_spread=0.3, cycle_spread=0.3, upper_spread=0.3, lower_spread=0.3
)
RERAM = {
    # as "gong-2018", with the range in the middle, and noise that shrinks with the step
    "soft-bounds": dataclasses.replace(_GONG_2018, upper_bound=1.0, lower_bound=-1.0, even_noise=False),
    # ReRamArrayOMPreset: 21 states, a measured array, Gong et al., IEDM 2022
    "om-2022": Cell(
        step=0.0949,
        device_spread=0.783,
        cycle_spread=0.416,
        upper_spread=0.35,
        lower_spread=0.57,
        corrupt=0.135,
    ),
    # ReRamArrayHfO2Preset: 4 states, same source
    "hfo2": Cell(
        step=0.462,
        device_spread=0.713,
        cycle_spread=0.217,
        upper_spread=0.43,
        lower_spread=0.60,
        corrupt=0.098,
    ),
    # as "constant-step", with soft bounds
    "idealised": dataclasses.replace(_IDEALISED, law=SOFT_BOUNDS),
    "constant-step": _IDEALISED,
    # GokmenVlasovPreset: 1250 states, what Gokmen and Vlasov, Front. Neurosci. 10, 333 (2016) ask of a device
    "rpu": dataclasses.replace(_IDEALISED, step=0.0016, asymmetry_spread=0.01),
    "gong-2018": _GONG_2018,
    # ReRamESPreset: 1500 states, the closer fit to the same measurement
    "exponential-step": Cell(
        law=Law(
            functools.partial(
                write.exponential_step,
                slope=-0.5,
                offset=-0.5,
                steepness=(5.0, 5.0),
                strength=(-1.18445, -0.081404),
            ),
            (*_SIDES, "upper", "lower"),
        ),
        **one_side_smaller(0.00135, 0.259359, 0.05),
        device_spread=0.2,
        cycle_spread=5.0,
        upper_spread=0.3,
        lower_spread=0.3,
    ),
}
"""Resistive cells by the names that study files use."""

ECRAM = {
    # EcRamPreset: some 1000 states, fitted to Tang et al., IEDM 2018; the range is shifted so that steps meet at zero
    "lithium": Cell(
        law=LINEAR,
        step=0.002,
        device_spread=0.1,
        cycle_spread=0.3,
        upper_bound=1.1724,
        lower_bound=-0.8276,
        upper_spread=0.05,
        lower_spread=0.05,
        asymmetry_spread=0.01,
        slope_up=0.1153,
        slope_down=0.5085,
        slope_spread=0.05,
    ),
    # EcRamMOPreset: some 7000 states, Kim et al., IEDM 2019; shifted likewise
    "metal-oxide": Cell(
        law=LINEAR,
        step=2.8214e-4,
        device_spread=0.1,
        cycle_spread=2.0,
        upper_bound=1.1714,
        lower_bound=-0.8286,
        upper_spread=0.05,
        lower_spread=0.05,
        asymmetry_spread=0.01,
        slope_up=0.4152,
        slope_down=0.7342,
        slope_spread=0.05,
    ),
}
"""Electrochemical cells by the names that study files use."""

# CapacitorPreset: some 400 states, fitted to Li et al., VLSI 2018
CAPACITOR = Cell(
    law=LINEAR,
    step=0.005,
    device_spread=0.1,
    cycle_spread=0.3,
    upper_spread=0.07,
    lower_spread=0.07,
    asymmetry_spread=0.06,
    slope_up=0.05,
    slope_down=0.05,
    slope_spread=0.01,
    even_noise=True,
)
"""A capacitor and the transistor that its voltage drives."""

# no published array: assumed
FLOATING_GATE = Cell(
    law=TUNNELLING,
    step=0.01,
    device_spread=0.1,
    cycle_spread=0.05,
    upper_spread=0.05,
    lower_spread=0.05,
)
"""A transistor with a floating gate."""
