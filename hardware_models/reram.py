"""Resistive memory: soft-bounds cells that learn by pulses, or are programmed by write-and-verify."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Gt, Lt

from analogff.device import PerChip
from hardware_models import kernels
from hardware_models.crossbar import Crossbar, chip_groups
from hardware_models.effects import mismatch as spread
from hardware_models.effects import write
from hardware_models.parameters import Bits, NonNegative, Positive, Share
from hardware_models.periphery import Periphery
from hardware_models.reram_presets import PRESETS
from hardware_models.streams import Stream

TYPICAL_SIEMENS = 8e-6
"""Mean conductance behind a weight as fabricated: a fifth of the greatest, 40 uS (Wan 2022)."""
VERIFY_PULSES = 8.5
"""Pulses that write-and-verify spends on a cell on average (Wan et al., Nature 2022; remembered: check)."""


class ReRAM(Crossbar):
    r"""A crossbar of resistive cells with rectifying neurons.

    .. math::
        w \to w + d^+_{ji} (1 - w / w^+_{ji}) (1 + c \xi), \quad
        w \to w - d^-_{ji} (1 - w / w^-_{ji}) (1 + c \xi), \quad W = w\, w_\mathrm{max} / \sqrt{n_\mathrm{in}}

    with :math:`w` within about -1 to 1, steps :math:`d^\pm = d\, e^{s \xi} (1 \pm A)`, and spread bounds. A
    wanted change becomes up to 31 whole pulses by stochastic rounding. Programming leaves the error measured
    by Wan et al. one second after the write; retention after that is not modelled.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        preset: Published cells; see `hardware_models.reram_presets`. The five numbers below override it.
        step: Mean step of one pulse at zero; the range is about -1 to 1.
        device_spread: Spread of the steps from cell to cell (lognormal).
        cycle_spread: Spread of the steps from pulse to pulse, relative.
        bounds_spread: Spread of the bounds from cell to cell; for both bounds.
        asymmetry: Mean of ``A``; up-steps exceed down-steps where it is positive.
        asymmetry_spread: Spread of ``A`` from cell to cell.
        corrupt: Share of cells that are stuck somewhere in their range.
        program_noise: Error of programming, in units of the published one.
        read_noise: Standard deviation of one output sample.
        weight_noise: Fluctuation of each cell from read to read, over the greatest weight (Wan 2022: 1 %).
        weight_max: Weight of a cell at its bound, in units of the typical weight ``1/sqrt(n_in)``.
        mismatch: Spread of the neurons' gains and, half of it, offsets.
        adc_bits: Resolution of an output; 0 is continuous.
        dac_bits: Resolution of an input; 0 is continuous.
        input_max: Full scale of an input, from 0.

    Reference:
        Gong et al., IEDM 2022 (arrays), presets of aihwkit; Wan et al., Nature 608, 504 (2022), noise.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        preset: Literal["soft-bounds", "om-2022", "hfo2", "idealised"] = "soft-bounds",
        step: Annotated[PerChip | None, Gt(0)] = None,
        device_spread: NonNegative | None = None,
        cycle_spread: NonNegative | None = None,
        bounds_spread: NonNegative | None = None,
        asymmetry: Annotated[PerChip | None, Gt(-1), Lt(1)] = None,
        asymmetry_spread: NonNegative | None = None,
        corrupt: Share | None = None,
        program_noise: NonNegative = 1.0,
        read_noise: NonNegative = 0.01,
        weight_noise: NonNegative = 0.01,
        weight_max: Positive = 4.0,
        mismatch: NonNegative = 0.0,
        adc_bits: Bits = 8,
        dac_bits: Bits = 8,
        input_max: Annotated[float, Gt(0)] = 8.0,
    ):
        unit = weight_max * n_in**-0.5
        periphery = Periphery(
            input_max=input_max,
            dac_bits=dac_bits,
            adc_bits=adc_bits,
            read_noise=read_noise,
            mismatch=mismatch,
        )
        own = dict(
            step=step,
            device_spread=device_spread,
            cycle_spread=cycle_spread,
            upper_spread=bounds_spread,
            lower_spread=bounds_spread,
            asymmetry=asymmetry,
            asymmetry_spread=asymmetry_spread,
            corrupt=corrupt,
        )
        published = dataclasses.asdict(PRESETS[preset])
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            datasheet=periphery.datasheet(n_in, n_out, siemens=TYPICAL_SIEMENS, weight_max=unit),
            periphery=periphery,
            weight_noise=weight_noise * unit,
            program_noise=program_noise,
            unit=unit,
            **{name: published[name] if value is None else value for name, value in own.items()},
        )
        self._fabricate_cells()

    def _fabricate_cells(self) -> None:
        """Draw steps, bounds and defects of the cells, in units of a weight."""
        cells = self.datasheet.n_out, self.datasheet.n_in
        asymmetry = self.asymmetry + self.asymmetry_spread * self._fabricated(Stream.ASYMMETRY, *cells)
        step = self.unit * self.step * spread.factor(self.device_spread, self._fabricated(Stream.EFFICIENCY, *cells))
        stuck = kernels.uniform(self.seeds, 0, *cells, Stream.DEFECT) < self.corrupt
        step = torch.where(stuck, 0.0, step)
        self._keep("step_up", step * (1 + asymmetry.clamp(-0.9, 0.9)))
        self._keep("step_down", step * (1 - asymmetry.clamp(-0.9, 0.9)))
        self._keep("upper", self.unit * self._bound(self.upper_spread, Stream.UPPER_BOUND))
        self._keep("lower", -self.unit * self._bound(self.lower_spread, Stream.LOWER_BOUND))
        anywhere = torch.lerp(self.lower, self.upper, kernels.uniform(self.seeds, 0, *cells, Stream.STUCK))
        self.weights = torch.where(stuck, anywhere, self.weights.clamp(self.lower, self.upper))

    def _bound(self, bound_spread: torch.Tensor, stream: Stream) -> torch.Tensor:
        """Draw bounds around 1; a cell keeps at least a twentieth of its range."""
        drawn = self._fabricated(stream, self.datasheet.n_out, self.datasheet.n_in)
        return (1 + bound_spread * drawn).clamp(min=0.05)

    def pulse(self, change):  # noqa: D102
        counts = [self._pulse(chip, change[chip]) for chip in chip_groups(change)]
        self.writes += 1
        return torch.cat(counts)

    def _pulse(self, chip: slice, change: torch.Tensor) -> torch.Tensor:
        w, (low, high) = self.weights[chip], (self.lower[chip], self.upper[chip])
        rows, columns = w.shape[1:]
        u = kernels.uniform(self.seeds[chip], self.writes[chip] * rows, rows, columns, Stream.ROUNDING)
        pulses = write.whole_pulses(change, self.step[chip] * self.unit[chip], u)
        moved = write.soft_bounds(w, pulses, self.step_up[chip], self.step_down[chip], high, low)
        # n independent steps of mean m and spread c m add up to a spread of c m sqrt(n)
        sigma = self.cycle_spread[chip] * moved.abs() / pulses.abs().clamp(min=1).sqrt()
        self._add_write_noise(moved, sigma, Stream.WRITE, chip)
        w.copy_(torch.clamp(w + moved, low, high))
        return pulses.abs().nan_to_num().sum((1, 2)).long()

    def program(self, weights):  # noqa: D102
        counts = [self._program(chip, weights[chip]) for chip in chip_groups(weights)]
        self.writes += 1
        return torch.cat(counts)

    def _program(self, chip: slice, weights: torch.Tensor) -> torch.Tensor:
        low, high, unit = self.lower[chip], self.upper[chip], self.unit[chip]
        target = torch.clamp(weights, low, high)
        error = write.programming_error((target / unit).abs().clamp(max=1), write.WAN_2022, write.WAN_GMAX)
        self._add_write_noise(target, self.program_noise[chip] * unit * error, Stream.PROGRAM, chip)
        works = self.step_up[chip] > 0
        self.weights[chip] = torch.where(works, torch.clamp(target, low, high), self.weights[chip])
        return (works.sum((1, 2)) * VERIFY_PULSES).long()
