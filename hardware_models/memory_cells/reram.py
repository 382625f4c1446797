"""Resistive memory: cells that learn by pulses or are programmed by write-and-verify, and then relax."""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Gt, Lt
from typing_extensions import override

from analogff.device import PerChip
from hardware_models import kernels
from hardware_models.array.groups import chip_groups
from hardware_models.array.parameters import LogSpread, NonNegative, Positive, Share, per_chip
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.array.presets import RERAM
from hardware_models.array.pulsed_cells import VERIFY_PULSES, PulsedArray
from hardware_models.effects import endurance, write
from hardware_models.effects.retention import start_anew
from hardware_models.kernels.streams import Stream

TYPICAL_SIEMENS = 8e-6
"""Mean conductance behind a weight as fabricated: a fifth of the greatest, 40 uS (Wan 2022)."""
CLOSING = endurance.RERAM_LAST_CYCLES / endurance.RERAM_FIRST_CYCLES
"""Cycles that close a range altogether, over those after which it begins to close."""
LEAST_RANGE = 1e-3
"""Share of its range that a worn cell keeps, so that it has bounds."""

Preset = Literal["soft-bounds", "om-2022", "hfo2", "idealised", "constant-step", "rpu", "gong-2018", "exponential-step"]


@with_periphery(read_noise=0.01)
class ReRAM(PulsedArray):
    r"""A crossbar of resistive cells.

    .. math::
        w \to w + d^+_{ji} (1 - w / w^+_{ji}) (1 + c \xi), \quad
        w \to w - d^-_{ji} (1 - w / w^-_{ji}) (1 + c \xi), \quad W = w\, w_\mathrm{max} / \sqrt{n_\mathrm{in}}

    with :math:`w` within about -1 to 1, steps :math:`d^\pm = d\, e^{s \xi - s^2 / 2} (1 \pm A)`, and spread bounds; two
    presets have constant steps, and one exponential ones. A wanted change becomes up to 31 whole pulses by stochastic
    rounding.

    Programming leaves the error measured by Wan et al. one second after the write. In `wait` each cell relaxes in a
    direction of its own, so that the error grows to what they measured after one and two days; a cell that is written
    starts anew. That cells relax after learning pulses as after programming is assumed.

    With ``endurance_cycles`` each cell counts its pulses, those of programming among them. The bounds of a cell close
    towards zero by a third for each decade after so many (`effects.endurance`), to a thousandth at last.
    Measured endurance, 1e6 to 1e9 cycles, counts full switching; a pulse that learns moves a cell less, and may wear
    it less. Traps make resistive cells jump while they are read: see ``telegraph_noise``, which grows with the
    resistance (Ielmini 2010).

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        preset: Published cells; see `hardware_models.array.presets`. The seven numbers below override it.
        step: Mean step of one pulse at zero; the range is about -1 to 1.
        device_spread: Spread of the steps from cell to cell (lognormal).
        cycle_spread: Spread of the steps from pulse to pulse, relative.
        bounds_spread: Spread of the bounds from cell to cell; for both bounds.
        asymmetry: Mean of ``A``; up-steps exceed down-steps where it is positive.
        asymmetry_spread: Spread of ``A`` from cell to cell.
        corrupt: Share of cells that are stuck somewhere in their range.
        program_noise: Error of programming, in units of the published one.
        retention: Relaxation in the first two days, in units of the published one.
        endurance_cycles: Pulses after which the range of a cell begins to close; 0 is never.
        weight_noise: Fluctuation of each cell from read to read, over the greatest weight (Wan 2022: 1 %).
        weight_max: Weight of a cell at its bound, in units of the typical weight ``1/sqrt(n_in)``.

    Reference:
        Gong et al., IEDM 2022 (arrays), presets of aihwkit; Wan et al., Nature 608, 504 (2022), noise; Ielmini, Nardi
        and Cagli, Applied Physics Letters 96, 053503 (2010), telegraph noise.
    """

    written: torch.Tensor
    relaxing: torch.Tensor
    age_seconds: torch.Tensor
    rested: torch.Tensor
    cycles: torch.Tensor
    endurance_cycles: torch.Tensor
    fresh_upper: torch.Tensor
    fresh_lower: torch.Tensor
    retention: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        preset: Preset = "soft-bounds",
        step: Annotated[PerChip | None, Gt(0)] = None,
        device_spread: LogSpread | None = None,
        cycle_spread: NonNegative | None = None,
        bounds_spread: NonNegative | None = None,
        asymmetry: Annotated[PerChip | None, Gt(-1), Lt(1)] = None,
        asymmetry_spread: NonNegative | None = None,
        corrupt: Share | None = None,
        program_noise: NonNegative = 1.0,
        retention: NonNegative = 1.0,
        endurance_cycles: NonNegative = 0.0,
        weight_noise: NonNegative = 0.01,
        weight_max: Positive = 4.0,
    ):
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            cell=RERAM[preset],
            told=dict(
                step=step,
                device_spread=device_spread,
                cycle_spread=cycle_spread,
                bounds_spread=bounds_spread,
                asymmetry=asymmetry,
                asymmetry_spread=asymmetry_spread,
                corrupt=corrupt,
            ),
            printed=dict(siemens=TYPICAL_SIEMENS),
            weight_max=weight_max,
            weight_noise=weight_noise,
            program_noise=program_noise,
            retention=retention,
            endurance_cycles=endurance_cycles,
        )
        self._fabricate_memory()

    def _fabricate_memory(self) -> None:
        """Let cells be as if just written, and count their pulses where they wear."""
        for name in ("written", "relaxing", "age_seconds"):
            self._keep(name, torch.zeros_like(self.weights))
        self._keep("rested", torch.full_like(self.weights, torch.nan))
        if self.endurance_cycles.any():
            self._keep("cycles", torch.zeros_like(self.weights))
            self._keep("fresh_upper", self.upper.clone())
            self._keep("fresh_lower", self.lower.clone())

    @override
    def wait(self, seconds):
        passed = per_chip("seconds", seconds, len(self.seeds)).to(self.weights.device)
        for chip in chip_groups(self.weights):
            self._restart(chip)
            self.age_seconds[chip] += passed[chip]
            unit, was = self.unit[chip], self.written[chip]
            sigma = self.retention[chip] * unit * write.relaxation(_share(was, unit), self.age_seconds[chip])
            now = torch.clamp(was + sigma * self.relaxing[chip], self.lower[chip], self.upper[chip])
            self.weights[chip] = self.rested[chip] = torch.where(self.step_up[chip] > 0, now, was)

    def _restart(self, chip: slice) -> None:
        """Let cells start anew that are not as the last wait left them, since they were written."""
        w, rows = self.weights[chip], self.datasheet.n_out
        drawn = kernels.normal(self.seeds[chip], self.writes[chip] * rows, rows, w.shape[2], Stream.RELAXATION)
        state = self.written[chip], self.relaxing[chip], self.age_seconds[chip]
        start_anew(w, self.rested[chip], drawn, *state)

    @override
    def _is_linear(self):
        return super()._is_linear() and not self.endurance_cycles.any()

    def _pulse(self, chip, change):
        spent = super()._pulse(chip, change)
        if self.endurance_cycles[chip].any():
            self._wear(chip, self._whole_pulses(chip, change).abs().nan_to_num())  # the same, drawn once more
        return spent

    def _program(self, chip, weights):
        self.rested[chip] = torch.nan
        spent = super()._program(chip, weights)
        if self.endurance_cycles[chip].any():
            self._wear(chip, VERIFY_PULSES)
        return spent

    def _wear(self, chip: slice, pulses: torch.Tensor | float) -> None:
        """Close the range of cells that had so many pulses more; stuck ones have none."""
        works, first = self.step_up[chip] > 0, self.endurance_cycles[chip]
        self.cycles[chip] += works * pulses
        left = endurance.window(self.cycles[chip], first, first * CLOSING).clamp(min=LEAST_RANGE)
        left = torch.where(works & (first > 0), left, 1.0)
        self.upper[chip] = left * self.fresh_upper[chip]
        self.lower[chip] = left * self.fresh_lower[chip]
        self.weights[chip] = torch.clamp(self.weights[chip], self.lower[chip], self.upper[chip])

    def _programming_error(self, chip, target):
        unit = self.unit[chip]
        return (
            self.program_noise[chip]
            * unit
            * write.programming_error(_share(target, unit), write.WAN_2022, write.WAN_GMAX)
        )


def _share(w: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    """Return conductances over the greatest one."""
    return (w / unit).abs().clamp(max=1)
