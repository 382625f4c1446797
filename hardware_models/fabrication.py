"""What belongs to the converters, neurons and lines of an array since it was made."""

from collections.abc import Callable

import torch

from hardware_models import kernels
from hardware_models.effects import converters, defects, mismatch, telegraph
from hardware_models.effects.tiles import tiles
from hardware_models.periphery import FLICKER_OCTAVES, Periphery
from hardware_models.streams import Stream

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
    parts = len(tiles(n_in, periphery.rows_per_tile))

    def draw(stream: Stream, rows: int, columns: int) -> torch.Tensor:
        return kernels.normal(seeds, 0, rows, columns, stream)

    def have(*names: str) -> bool:
        return any(bool(numbers[name].any()) for name in names)

    drawn = dict(
        gain=mismatch.factor(numbers["mismatch"], draw(Stream.GAIN, parts, n_out)),
        offset=mismatch.offset(numbers["mismatch"] * parts**-0.5, draw(Stream.OFFSET, parts, n_out)),
    )
    if have("adc_gain_error", "adc_offset_lsb", "adc_inl_lsb", "adc_noise_lsb"):
        drawn["adc_gain"] = 1 + numbers["adc_gain_error"] * draw(Stream.ADC_GAIN, parts, n_out)
        drawn["adc_offset"] = numbers["adc_offset_lsb"] * draw(Stream.ADC_OFFSET, parts, n_out)
    if have("adc_inl_lsb"):
        drawn["adc_thresholds"] = _tables(
            lambda bits, size, normals: converters.adc_thresholds(periphery.adc_kind, bits, size, normals),
            lambda bits: converters.adc_normals(periphery.adc_kind, bits),
            numbers["adc_bits"],
            numbers["adc_inl_lsb"],
            lambda columns: draw(Stream.ADC_STEPS, parts * n_out, columns),
        )
    if have("dac_gain_error", "dac_inl_lsb"):
        drawn["dac_gain"] = 1 + numbers["dac_gain_error"] * draw(Stream.DAC_GAIN, 1, n_in)
    if have("dac_inl_lsb"):
        drawn["dac_levels"] = _tables(
            converters.dac_levels,
            lambda bits: bits,
            numbers["dac_bits"],
            numbers["dac_inl_lsb"],
            lambda columns: draw(Stream.DAC_STEPS, n_in, columns),
        )
    if have("dead_rows"):
        uniform = kernels.uniform(seeds, 0, 1, n_in, Stream.DEAD_ROW)
        drawn["row_is_dead"] = defects.dead(uniform, numbers["dead_rows"])
    if have("dead_columns"):
        uniform = kernels.uniform(seeds, 0, 1, n_out, Stream.DEAD_COLUMN)
        drawn["column_is_dead"] = defects.dead(uniform, numbers["dead_columns"])
    if have("stuck_low", "stuck_high"):
        uniform, none = kernels.uniform(seeds, 0, n_out, n_in, Stream.STUCK_CELL), torch.zeros(())
        cells = defects.stuck(uniform, numbers["stuck_low"], numbers["stuck_high"], none)
        drawn["cell_is_low"], drawn["cell_is_high"] = cells.low, cells.high
    if have("neuron_flicker"):
        drawn["flicker_phase"] = kernels.uniform(seeds, 0, FLICKER_OCTAVES, n_out, Stream.FLICKER_PHASE)
    if have("telegraph_noise"):
        uniform = kernels.uniform(seeds, 0, 1, n_out * n_in, Stream.TELEGRAPH_PHASE)
        drawn["trap_phase"] = telegraph.common_phases(uniform)
    if have("neuron_seconds"):
        drawn["neuron_state"] = torch.zeros(len(seeds), 1, n_out)
    if have("hysteresis"):
        drawn["neuron_play"] = torch.zeros(len(seeds), 1, n_out)
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
