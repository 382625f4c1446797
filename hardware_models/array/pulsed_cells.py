"""Arrays of cells that learn by pulses: what resistive, electrochemical, capacitor and floating-gate cells share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from hardware_models import kernels
from hardware_models.array.crossbar import Crossbar
from hardware_models.array.groups import chip_groups
from hardware_models.array.periphery import Periphery
from hardware_models.array.presets import LINEAR, SOFT_BOUNDS, Cell
from hardware_models.effects import mismatch as spread
from hardware_models.effects import write
from hardware_models.kernels import pulsing
from hardware_models.kernels.streams import Stream

VERIFY_PULSES = 8.5
"""Pulses that write-and-verify spends on a cell on average (assumed; Wan et al., Nature 608, 504 (2022),
Extended Data Figure 3f, show the distribution)."""


class PulsedArray(Crossbar):
    r"""A crossbar of cells that pulses move up and down by a law of their own.

    .. math::
        w \to w + \Delta_n(w) + c\, \frac{\Delta_n}{\sqrt n}\, \xi, \quad
        W = w\, w_\mathrm{max} / \sqrt{n_\mathrm{in}}

    with the change :math:`\Delta_n` that ``n`` pulses make by the cell's `Law`, from steps
    :math:`d^\pm = d\, e^{s \xi - s^2 / 2} (1 \pm A)`, and clipped to bounds; all of these differ from cell to cell. A
    wanted change becomes up to 31 whole pulses of the mean step by stochastic rounding, blind to where the cell is.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        periphery: Converters and neurons.
        cell: The published cell.
        told: Numbers to take in place of the cell's, by its names, and ``bounds_spread`` for those of both bounds; None
            for the cell's own.
        printed: Numbers of the datasheet; ``siemens``, the typical conductance behind a weight, must be there.
        weight_max: Weight of a cell at 1, in units of the typical weight ``1/sqrt(n_in)``.
        weight_noise: Fluctuation of each cell from read to read, over the weight at 1.
        numbers: Further per-chip numbers, kept as buffers of their names.
    """

    asymmetry: torch.Tensor
    corrupt: torch.Tensor
    lower: torch.Tensor
    upper: torch.Tensor
    asymmetry_spread: torch.Tensor
    unit: torch.Tensor
    step: torch.Tensor
    device_spread: torch.Tensor
    step_up: torch.Tensor
    upper_bound: torch.Tensor
    upper_spread: torch.Tensor
    lower_bound: torch.Tensor
    lower_spread: torch.Tensor
    step_down: torch.Tensor
    cycle_spread: torch.Tensor
    slope_up: torch.Tensor
    slope_down: torch.Tensor
    slope_spread: torch.Tensor
    fall_up: torch.Tensor
    fall_down: torch.Tensor
    program_noise: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        cell: Cell,
        told: dict[str, Any],
        printed: dict[str, Any],
        weight_max: Any,
        weight_noise: Any,
        **numbers: Any,
    ):
        unit = weight_max * n_in**-0.5
        numbers |= cell.numbers() | _as_of_cell(told)
        step = numbers["step"] * unit
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            datasheet=periphery.datasheet(
                n_in,
                n_out,
                weight_max=unit,
                change_max=write.PULSES_AT_MOST * step,
                change_step=step,
                **printed,
            ),
            periphery=periphery,
            weight_noise=weight_noise * unit,
            unit=unit,
            **numbers,
        )
        self.cell = cell
        self._fabricate_cells()

    def _fabricate_cells(self) -> None:
        """Draw steps, bounds and defects of the cells, in units of a weight."""
        cells = self.datasheet.n_out, self.datasheet.n_in
        asymmetry = self.asymmetry + self.asymmetry_spread * self._fabricated(Stream.ASYMMETRY, *cells)
        drawn = self._fabricated(Stream.EFFICIENCY, *cells)
        step = self.unit * self.step * spread.unit_mean_factor(self.device_spread, drawn)
        stuck = kernels.uniform(self.seeds, 0, *cells, Stream.DEFECT) < self.corrupt
        step = torch.where(stuck, 0.0, step)
        self._keep("step_up", step * (1 + asymmetry.clamp(-0.9, 0.9)))
        self._keep("step_down", step * (1 - asymmetry.clamp(-0.9, 0.9)))
        self._keep("upper", self.unit * self._bound(self.upper_bound, self.upper_spread, Stream.UPPER_BOUND))
        self._keep("lower", self.unit * self._bound(self.lower_bound, self.lower_spread, Stream.LOWER_BOUND))
        if "fall_up" in self.cell.law.takes:
            self._keep("fall_up", self._fall(self.slope_up, Stream.SLOPE_UP) / (self.unit * self.upper_bound))
            self._keep("fall_down", self._fall(self.slope_down, Stream.SLOPE_DOWN) / (self.unit * -self.lower_bound))
        anywhere = torch.lerp(self.lower, self.upper, kernels.uniform(self.seeds, 0, *cells, Stream.STUCK))
        self.weights = torch.where(stuck, anywhere, self.weights.clamp(self.lower, self.upper))

    def _bound(self, mean: torch.Tensor, bound_spread: torch.Tensor, stream: Stream) -> torch.Tensor:
        """Draw bounds around their mean; a cell keeps at least a twentieth of its range."""
        drawn = self._fabricated(stream, self.datasheet.n_out, self.datasheet.n_in)
        return mean * (1 + bound_spread * drawn).clamp(min=0.05)

    def _fall(self, slope: torch.Tensor, stream: Stream) -> torch.Tensor:
        """Draw the cells' slopes; never such that a step grows towards its bound."""
        drawn = self._fabricated(stream, self.datasheet.n_out, self.datasheet.n_in)
        return (slope + self.slope_spread * drawn).abs_()

    @override
    def pulse(self, change):
        if not (pulsing.takes(change) and self._is_linear()):
            return self._chip_by_chip(self._pulse, change)
        counts = self._pulse_compiled(change)
        self._count_write(change)
        return counts

    @override
    def pulse_trains(self, rows, columns):
        if rows.is_cuda or not self._is_linear():
            return super().pulse_trains(rows, columns)
        from hardware_models.kernels.cpu.trains import fire  # here, since it takes a second to import

        soft = "upper" in self.cell.law.takes
        fall_up, fall_down = (1 / self.upper, -1 / self.lower) if soft else (self.fall_up, self.fall_down)
        cells = (self.step_up, self.step_down, fall_up, fall_down, self.upper, self.lower)
        spent = torch.zeros_like(self.writes)
        for chip in range(len(self.seeds)):
            own = [values[chip].contiguous().numpy() for values in (self.weights, rows, columns, *cells)]
            cycles, even = np.float32(self.cycle_spread[chip].item()), self.cell.even_noise
            numbers = int(self.seeds[chip]), int(self.writes[chip]), int(Stream.WRITE)
            spent[chip], self.writes[chip] = fire(*own, cycles, even, *numbers)  # pyright: ignore[reportCallIssue]
        return spent

    def _is_linear(self) -> bool:
        """Tell whether steps are linear in the state, and nothing else comes of a pulse."""
        return self.cell.law in (SOFT_BOUNDS, LINEAR)

    def _pulse_compiled(self, change: torch.Tensor) -> torch.Tensor:
        """As `_pulse` for all chips, with the same numbers."""
        falls = (self.fall_up, self.fall_down) if self.cell.law == LINEAR else ()
        cells = pulsing.Cells(self.weights, self.step_up, self.step_down, self.lower, self.upper, falls)
        numbers = pulsing.Numbers(self.step, self.unit, self.seeds, self.writes)
        return pulsing.pulse(change, cells, numbers, self.cycle_spread, self.cell.even_noise)

    def _pulse(self, chip: slice, change: torch.Tensor) -> torch.Tensor:
        w, (low, high) = self.weights[chip], (self.lower[chip], self.upper[chip])
        pulses = self._whole_pulses(chip, change)
        law = self.cell.law
        moved = law.move(w, pulses, *(self._buffers[name][chip] for name in law.takes))  # type: ignore[index]
        self._add_write_noise(moved, self._cycle_noise(chip, pulses, moved), Stream.WRITE, chip)
        w.copy_(torch.clamp(w + moved, low, high))
        return pulses.abs().nan_to_num().sum((1, 2)).long()

    def _whole_pulses(self, chip: slice, change: torch.Tensor) -> torch.Tensor:
        """Return the pulses, with signs, that the present write asks of cells."""
        return write.whole_pulses(change, self.step[chip] * self.unit[chip], self._rounding(chip, change))

    def _cycle_noise(self, chip: slice, pulses: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
        """Return the spread of a change: n independent steps of mean m and spread c m add up to c m sqrt(n)."""
        count = pulses.abs()
        if self.cell.even_noise:
            step = torch.where(pulses > 0, self.step_up[chip], self.step_down[chip])
            return self.cycle_spread[chip] * step * count.sqrt()
        return self.cycle_spread[chip] * moved.abs() / count.clamp(min=1).sqrt()

    @override
    def program(self, weights):
        counts = [self._program(chip, weights[chip]) for chip in chip_groups(weights)]
        self.writes += 1
        return torch.cat(counts)

    def _program(self, chip: slice, weights: torch.Tensor) -> torch.Tensor:
        low, high = self.lower[chip], self.upper[chip]
        target = torch.clamp(weights, low, high)
        self._add_write_noise(target, self._programming_error(chip, target), Stream.PROGRAM, chip)
        works = self.step_up[chip] > 0
        self.weights[chip] = torch.where(works, torch.clamp(target, low, high), self.weights[chip])
        return (works.sum((1, 2)) * VERIFY_PULSES).long()

    def _programming_error(self, chip: slice, target: torch.Tensor) -> torch.Tensor:
        """Return the spread that write-and-verify leaves: ``program_noise`` steps."""
        return (self.program_noise[chip] * self.unit[chip] * self.step[chip]).expand_as(target[:, :1, :1])


def _as_of_cell(told: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers that are told, by the names that a `Cell` has for them."""
    given = {name: value for name, value in told.items() if value is not None}
    both = given.pop("bounds_spread", None)
    return given if both is None else given | dict(upper_spread=both, lower_spread=both)
