"""Pulse trains on arrays of cells: the compiled pass against the contract's own, and coincidences against a count."""

import pytest
import torch

from analogff.device import Device
from analogff.device.numerics.coincidences import coincidences
from hardware_models.memory_cells.reram import ReRAM


def trains(chips, vectors, n, seed, share=0.15, slots=31):
    generator = torch.Generator().manual_seed(seed)
    bits = torch.rand(chips, vectors, n, slots, generator=generator) < share
    masks = (bits.int() << torch.arange(slots, dtype=torch.int32)).sum(-1, dtype=torch.int32)
    return masks * torch.randint(0, 2, masks.shape, generator=generator, dtype=torch.int32).mul_(2).sub_(1)


def test_coincidences_are_those_of_the_slots():
    rows, columns = trains(2, 1, 5, 0)[:, 0], trains(2, 1, 3, 1)[:, 0]
    counts = coincidences(rows, columns)
    for c, j, i in [(0, 0, 0), (1, 2, 4), (0, 1, 3)]:
        row, column = int(rows[c, i]), int(columns[c, j])
        together = sum((abs(row) >> t) & (abs(column) >> t) & 1 for t in range(31))
        assert counts[c, j, i] == together * (1 if (row > 0) == (column > 0) else -1)


@pytest.mark.parametrize("preset", ["soft-bounds", "gong-2018", "constant-step", "rpu", "hfo2", "om-2022"])
def test_the_compiled_pass_lands_as_pulses_one_vector_after_another(preset):
    fast, slow = (ReRAM(9, 7, seed=[3, 4], preset=preset) for _ in range(2))
    rows, columns = trains(2, 6, 9, 0), trains(2, 6, 7, 1)
    columns[1, 2] = 0  # a vector of which this chip hears nothing is no write
    spent, expected = fast.pulse_trains(rows, columns), Device.pulse_trains(slow, rows, columns)
    assert torch.equal(spent, expected) and torch.equal(fast.writes, slow.writes)
    torch.testing.assert_close(fast.weights, slow.weights, rtol=0, atol=2e-5 * float(fast.unit.max()))


def test_worn_cells_take_the_way_on_which_they_count():
    chip = ReRAM(9, 7, seed=[3], endurance_cycles=1e3)
    spent = chip.pulse_trains(trains(1, 2, 9, 0), trains(1, 2, 7, 1))
    assert int(chip.cycles.sum()) == int(spent) > 0
