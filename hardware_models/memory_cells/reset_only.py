"""Resistive cells that learn by reset pulses alone: pairs whose conductances only fall."""

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Le
from typing_extensions import override

from hardware_models import kernels
from hardware_models.array.crossbar import Crossbar
from hardware_models.array.groups import chip_groups
from hardware_models.array.parameters import LogSpread, NonNegative, Positive, per_chip
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.effects import mismatch as spread
from hardware_models.effects import write
from hardware_models.effects.pairs import difference, pair
from hardware_models.effects.retention import start_anew
from hardware_models.kernels.streams import Stream

TYPICAL_SIEMENS = 30e-6
"""Mean conductance of a cell as formed (assumed): `reram` has that of a weight."""
VERIFY_PULSES = 8.5
"""Pulses that write-and-verify spends on a cell on average, as in `reram`."""


@with_periphery(read_noise=0.01)
class ResetOnly(Crossbar):
    r"""A crossbar of pairs of resistive cells that learn by reset pulses below the voltage of a set.

    .. math::
        W = (g^+ - g^-)\, w_\mathrm{max} / \sqrt{n_\mathrm{in}}, \quad
        g \to g \left[(1 - d_{ji} / g_0)^n - \tfrac{d_{ji}}{g_0}\, c\, \sqrt n\, \xi\right]

    with :math:`g` within 0 to 1. A weight grows by ``n`` resets of its :math:`g^-` and falls by resets of its
    :math:`g^+`. A reset of a cell at its first conductance :math:`g_0` moves it by :math:`d` on average, and later
    ones by less in proportion to what is left. Nothing but `program` raises a conductance, so each change consumes
    range: a pair that has seen many changes has neither. A wanted change becomes a pulse or none, by stochastic
    rounding, or up to ``longest_train`` of them.

    In `wait` cells relax as those of `reram` do.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        start: Conductance of both cells of a pair as formed, ``g_0``; first weights are differences around it.
        step: Mean fall of a cell at ``g_0`` in one pulse (assumed).
        device_spread: Spread of the steps from cell to cell (lognormal; assumed, as in `reram`).
        cycle_spread: Spread of the steps from pulse to pulse, relative (assumed, as in `reram`).
        longest_train: Most pulses that a cell gets in one update; 1 is the single pulse of the experiment.
        program_noise: Error of programming, in units of the published one.
        retention: Relaxation in the first two days, in units of the published one.
        weight_noise: Fluctuation of each weight from read to read, over the weight at 1 (Wan 2022: 1 %).
        weight_max: Weight of a cell at 1 beside an empty one, in units of the typical weight ``1/sqrt(n_in)``.

    Reference:
        Renaudineau et al., arXiv 2601.09903 (2026), HfOx/Ti, resets by single pulses; its numbers of a cell are not
        known to us. Errors and retention: Wan et al., Nature 608, 504 (2022).
    """

    start: torch.Tensor
    step: torch.Tensor
    steps: torch.Tensor
    device_spread: torch.Tensor
    cycle_spread: torch.Tensor
    longest_train: torch.Tensor
    program_noise: torch.Tensor
    retention: torch.Tensor
    unit: torch.Tensor
    written: torch.Tensor
    cells: torch.Tensor
    relaxing: torch.Tensor
    rested: torch.Tensor
    age_seconds: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        start: Annotated[Positive, Le(1)] = 0.8,
        step: Annotated[Positive, Le(0.5)] = 0.002,
        device_spread: LogSpread = 0.3,
        cycle_spread: NonNegative = 0.3,
        longest_train: Annotated[Positive, Ge(1), Le(write.PULSES_AT_MOST)] = 1,
        program_noise: NonNegative = 1.0,
        retention: NonNegative = 1.0,
        weight_noise: NonNegative = 0.01,
        weight_max: Positive = 4.0,
    ):
        unit = weight_max * n_in**-0.5
        sheet = dict(siemens=TYPICAL_SIEMENS, weight_max=unit, change_max=longest_train * step * unit)
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            datasheet=periphery.datasheet(n_in, n_out, **sheet),
            periphery=periphery,
            weight_noise=weight_noise * unit,
            unit=unit,
            start=start,
            step=step,
            device_spread=device_spread,
            cycle_spread=cycle_spread,
            longest_train=longest_train,
            program_noise=program_noise,
            retention=retention,
        )
        self._fabricate_cells()

    def _fabricate_cells(self) -> None:
        """Draw what belongs to the cells, first all ``g+``, then all ``g-``; form them around their start."""
        cells = 2 * self.datasheet.n_out, self.datasheet.n_in
        steps = spread.unit_mean_factor(self.device_spread, self._fabricated(Stream.EFFICIENCY, *cells))
        self._keep("steps", (self.step * steps / self.start).clamp(max=0.9))
        for name in ("cells", "written", "relaxing", "age_seconds"):
            self._keep(name, torch.zeros_like(self.steps))
        self._keep("rested", torch.full_like(self.steps, torch.nan))
        for chip in chip_groups(self.weights):
            self._put(chip, self._target(chip, self.weights[chip]))

    def _target(self, chip: slice, weights: torch.Tensor) -> torch.Tensor:
        """Return the conductances of pairs that hold weights, spread evenly around the start."""
        half = weights / (2 * self.unit[chip])
        return torch.cat([self.start[chip] + half, self.start[chip] - half], 1).clamp_(0, 1)

    @override
    def pulse(self, change):
        return self._chip_by_chip(self._pulse, change)

    def _pulse(self, chip: slice, change: torch.Tensor) -> torch.Tensor:
        signed = write.whole_pulses(change, self.step[chip] * self.unit[chip], self._rounding(chip, change))
        signed = torch.minimum(signed.abs(), self.longest_train[chip]).copysign(signed)
        luck = self._add_write_noise(
            torch.zeros_like(signed), self.cycle_spread[chip] * signed.abs().sqrt(), Stream.WRITE, chip
        )
        pulses = pair(-signed)  # growth of a weight resets its minus cell
        missed = self.steps[chip] * torch.cat([luck, luck], 1) * (pulses != 0)
        self._put(chip, self.cells[chip] * ((1 - self.steps[chip]) ** pulses - missed))
        return signed.abs().nan_to_num().sum((1, 2)).long()

    @override
    def program(self, weights):
        for chip in chip_groups(weights):
            target = self._target(chip, weights[chip])
            error = write.programming_error(target, write.WAN_2022, write.WAN_GMAX)
            sigma = self.program_noise[chip] * error
            self._put(chip, self._add_write_noise(target, sigma, Stream.PROGRAM, chip))
        self.rested.fill_(torch.nan)
        self.writes += 1
        return torch.full_like(self.seeds, int(self.steps[0].numel() * VERIFY_PULSES))

    @override
    def wait(self, seconds):
        passed = per_chip("seconds", seconds, len(self.seeds)).to(self.weights.device)
        for chip in chip_groups(self.weights):
            self._restart(chip)
            self.age_seconds[chip] += passed[chip]
            sigma = self.retention[chip] * write.relaxation(self.written[chip], self.age_seconds[chip])
            self._put(chip, self.written[chip] + sigma * self.relaxing[chip])
            self.rested[chip] = self.cells[chip]

    def _restart(self, chip: slice) -> None:
        """Let cells start anew that are not as the last wait left them, since they were written."""
        rows, columns = self.steps.shape[1:]
        drawn = kernels.normal(self.seeds[chip], self.writes[chip] * rows, rows, columns, Stream.RELAXATION)
        state = self.written[chip], self.relaxing[chip], self.age_seconds[chip]
        start_anew(self.cells[chip], self.rested[chip], drawn, *state)

    def _put(self, chip: slice, cells: torch.Tensor) -> None:
        """Let cells have these conductances, as far as their range goes."""
        self.cells[chip] = cells.clamp_(0, 1)
        self.weights[chip] = self.unit[chip] * difference(self.cells[chip])
