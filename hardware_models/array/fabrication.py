"""What belongs to the converters, neurons and lines of an array since it was made."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from hardware_models import kernels
from hardware_models.array.periphery import FLICKER_OCTAVES, Periphery
from hardware_models.effects import converters, defects, mismatch, telegraph
from hardware_models.effects.tiles import tiles
from hardware_models.kernels.streams import Stream

Numbers = dict[str, torch.Tensor]


def fabricated(periphery: Periphery, numbers: Numbers, seeds: torch.Tensor, n_in: int, n_out: int) -> Numbers:
    """Draw it, as buffers; nothing for what no chip has. Neurons with a memory remember nothing yet.

    Shapes:
        Of neurons and output converters ``(chips, tiles, n_out)``, of inputs ``(chips, 1, n_in)``, and of traps
        ``(chips, 1, n_out n_in)``; cells ``(chips, n_out, n_in)``, phases of 1/f noise ``(chips, octaves, n_out)``;
        thresholds are ``(chips, tiles n_out, steps)``, levels ``(chips, n_in, steps)``.

    Args:
        periphery: Of all chips.
        numbers: Its numbers, each ``(chips, 1, 1)``.
        seeds: One a chip.
        n_in: Input lines.
        n_out: Output lines.
    """
    lot = _Lot(numbers, seeds, n_in, n_out, len(tiles(n_in, periphery.rows_per_tile)))
    return _neurons(lot) | _output_converters(lot, periphery.adc_kind) | _input_converters(lot) | _array(lot)


class _Lot(NamedTuple):
    """The chips that are being made."""

    numbers: Numbers
    seeds: torch.Tensor
    n_in: int
    n_out: int
    parts: int
    """Tiles, each with amplifiers and output converters of its own."""

    def have(self, *names: str) -> bool:
        return any(bool(self.numbers[name].any()) for name in names)

    def normal(self, stream: Stream, rows: int, columns: int) -> torch.Tensor:
        return kernels.normal(self.seeds, 0, rows, columns, stream)

    def uniform(self, stream: Stream, rows: int, columns: int) -> torch.Tensor:
        return kernels.uniform(self.seeds, 0, rows, columns, stream)


def _neurons(lot: _Lot) -> Numbers:
    """Draw how they differ, and make the memory of those that have one."""
    spread, shape = lot.numbers["mismatch"], (lot.parts, lot.n_out)
    drawn = dict(
        gain=mismatch.factor(spread, lot.normal(Stream.GAIN, *shape)),
        offset=mismatch.offset(spread * lot.parts**-0.5, lot.normal(Stream.OFFSET, *shape)),
    )
    if lot.have("neuron_flicker"):
        drawn["flicker_phase"] = lot.uniform(Stream.FLICKER_PHASE, FLICKER_OCTAVES, lot.n_out)
    if lot.have("neuron_seconds"):
        drawn["neuron_state"] = torch.zeros(len(lot.seeds), 1, lot.n_out)
    if lot.have("hysteresis"):
        drawn["neuron_play"] = torch.zeros(len(lot.seeds), 1, lot.n_out)
    return drawn


def _output_converters(lot: _Lot, kind: converters.AdcKind) -> Numbers:
    numbers, shape, drawn = lot.numbers, (lot.parts, lot.n_out), {}
    if lot.have("adc_gain_error", "adc_offset_lsb", "adc_inl_lsb", "adc_noise_lsb"):
        drawn["adc_gain"] = 1 + numbers["adc_gain_error"] * lot.normal(Stream.ADC_GAIN, *shape)
        drawn["adc_offset"] = numbers["adc_offset_lsb"] * lot.normal(Stream.ADC_OFFSET, *shape)
    if lot.have("adc_inl_lsb"):
        drawn["adc_thresholds"] = _tables(
            lambda bits, size, normals: converters.adc_thresholds(kind, bits, size, normals),
            lambda bits: converters.adc_normals(kind, bits),
            numbers["adc_bits"],
            numbers["adc_inl_lsb"],
            lambda columns: lot.normal(Stream.ADC_STEPS, lot.parts * lot.n_out, columns),
        )
    return drawn


def _input_converters(lot: _Lot) -> Numbers:
    numbers, drawn = lot.numbers, {}
    if lot.have("dac_gain_error", "dac_inl_lsb"):
        drawn["dac_gain"] = 1 + numbers["dac_gain_error"] * lot.normal(Stream.DAC_GAIN, 1, lot.n_in)
    if lot.have("dac_inl_lsb"):
        drawn["dac_levels"] = _tables(
            converters.dac_levels,
            lambda bits: bits,
            numbers["dac_bits"],
            numbers["dac_inl_lsb"],
            lambda columns: lot.normal(Stream.DAC_STEPS, lot.n_in, columns),
        )
    return drawn


def _array(lot: _Lot) -> Numbers:
    """Draw dead lines, stuck cells and traps."""
    numbers, drawn = lot.numbers, {}
    if lot.have("dead_rows"):
        drawn["row_is_dead"] = defects.dead(lot.uniform(Stream.DEAD_ROW, 1, lot.n_in), numbers["dead_rows"])
    if lot.have("dead_columns"):
        drawn["column_is_dead"] = defects.dead(lot.uniform(Stream.DEAD_COLUMN, 1, lot.n_out), numbers["dead_columns"])
    if lot.have("stuck_low", "stuck_high"):
        uniform = lot.uniform(Stream.STUCK_CELL, lot.n_out, lot.n_in)
        cells = defects.stuck(uniform, numbers["stuck_low"], numbers["stuck_high"], torch.zeros(()))
        drawn["cell_is_low"], drawn["cell_is_high"] = cells.low, cells.high
    if lot.have("telegraph_noise"):
        uniform = lot.uniform(Stream.TELEGRAPH_PHASE, 1, lot.n_out * lot.n_in)
        drawn["trap_phase"] = telegraph.common_phases(uniform)
    return drawn


def _tables(
    make: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor],
    needs: Callable[[int], int],
    bits: torch.Tensor,
    sizes: torch.Tensor,
    draw: Callable[[int], torch.Tensor],
) -> torch.Tensor:
    """Make the tables of all chips that have one, filled up to the longest with what is never reached.

    Args:
        make: From bits, size of the errors and normals to the tables of one chip.
        needs: Normals for so many bits.
        bits: Of each chip.
        sizes: Of each chip; 0 for one without tables.
        draw: From a number of columns to the normals of all chips.
    """
    of_chips = {c: int(bits[c]) for c in range(len(bits)) if sizes[c] > 0}
    normals = draw(max(map(needs, of_chips.values())))
    # a copy, since products round by where a matrix starts
    tables = {c: make(b, sizes[c], normals[c, :, : needs(b)].clone()) for c, b in of_chips.items()}
    longest = max(table.shape[-1] for table in tables.values())
    filled = torch.full((*normals.shape[:2], longest), torch.inf)
    for c, table in tables.items():
        filled[c, :, : table.shape[-1]] = table
    return filled
