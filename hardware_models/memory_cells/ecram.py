"""Electrochemical memory: ions move in and out of a channel, in many small and nearly equal steps."""

from collections.abc import Sequence
from typing import Annotated, Literal

from annotated_types import Gt, Lt

from analogff.device import PerChip
from hardware_models.array.parameters import LogSpread, NonNegative, Positive, Share
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.array.presets import ECRAM as PRESETS
from hardware_models.array.pulsed_cells import PulsedArray

TYPICAL_SIEMENS = 1e-6
"""Mean conductance behind a weight (assumed; published channels are from nanosiemens to some 100 uS)."""


@with_periphery(read_noise=0.01)
class ECRAM(PulsedArray):
    r"""A crossbar of electrochemical cells.

    .. math::
        w \to w + d^+_{ji} (1 - \gamma^+_{ji} w / w^+) (1 + c \xi), \quad
        w \to w - d^-_{ji} (1 - \gamma^-_{ji} w / w^-) (1 + c \xi), \quad W = w\, w_\mathrm{max} / \sqrt{n_\mathrm{in}}

    clipped to bounds that differ from cell to cell; the slopes refer to the mean bounds :math:`w^\pm`. The range is
    shifted so that steps up and down meet at zero, as by a reference cell. A wanted change becomes up to 31 whole
    pulses by stochastic rounding. Cells keep their charge: loss through the readout is not modeled.

    Units:
        Times and energies of a pulse are the general ones of a `Datasheet`, not those of the papers.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        preset: Published cells; see `hardware_models.array.presets`. The nine numbers below override it.
        step: Mean step of one pulse at zero; the range is about -0.83 to 1.17.
        device_spread: Spread of the steps from cell to cell (lognormal).
        cycle_spread: Spread of the steps from pulse to pulse, relative.
        bounds_spread: Spread of the bounds from cell to cell; for both bounds.
        asymmetry: Mean of ``A`` in steps at zero of ``d (1 + A)`` up and ``d (1 - A)`` down.
        asymmetry_spread: Spread of ``A`` from cell to cell.
        slope_up: Share of the up-step that is lost on the way from zero to the mean upper bound (``gamma``).
        slope_down: As ``slope_up``, downwards.
        slope_spread: Spread of both slopes from cell to cell, in units of a slope.
        program_noise: Error that write-and-verify leaves, in steps (assumed).
        weight_noise: Fluctuation of each cell from read to read, over the weight at 1 (assumed).
        weight_max: Weight of a cell at 1, in units of the typical weight ``1/sqrt(n_in)``.

    Reference:
        Tang et al., IEDM 2018 (lithium); Kim et al., IEDM 2019 (metal oxide); fits: the ECRAM presets of aihwkit.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        preset: Literal["lithium", "metal-oxide"] = "lithium",
        step: Annotated[PerChip | None, Gt(0)] = None,
        device_spread: LogSpread | None = None,
        cycle_spread: NonNegative | None = None,
        bounds_spread: NonNegative | None = None,
        asymmetry: Annotated[PerChip | None, Gt(-1), Lt(1)] = None,
        asymmetry_spread: NonNegative | None = None,
        slope_up: Share | None = None,
        slope_down: Share | None = None,
        slope_spread: NonNegative | None = None,
        program_noise: NonNegative = 0.5,
        weight_noise: NonNegative = 0.01,
        weight_max: Positive = 4.0,
    ):
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            cell=PRESETS[preset],
            told=dict(
                step=step,
                device_spread=device_spread,
                cycle_spread=cycle_spread,
                bounds_spread=bounds_spread,
                asymmetry=asymmetry,
                asymmetry_spread=asymmetry_spread,
                slope_up=slope_up,
                slope_down=slope_down,
                slope_spread=slope_spread,
            ),
            printed=dict(siemens=TYPICAL_SIEMENS),
            weight_max=weight_max,
            weight_noise=weight_noise,
            program_noise=program_noise,
        )
