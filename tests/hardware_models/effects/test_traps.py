"""Random telegraph noise of the cells of an array, and what a learner sees of it."""

import math

import pytest
import torch

from analogff.device import check_device, fabricate, product
from hardware_models import kernels
from hardware_models.effects import telegraph
from hardware_models.generic.unknown import Unknown
from hardware_models.kernels.streams import Stream
from hardware_models.memory_cells.floating_gate import FloatingGate
from hardware_models.memory_cells.reram import ReRAM
from tests.helpers.devices import inputs, trace

EXACT = dict(read_noise=0.0, mismatch=0.0, curve_spread=0.0, adc_bits=0, dac_bits=0, input_max=100.0, family="relu")


@pytest.mark.parametrize("first", [0, 5, 1000, 2**35 + 3])
@pytest.mark.parametrize("length", [8, 16, 100])
def test_nothing_changes_within_a_spell_and_reads_are_all_there(first, length):
    rows, cells, at = 137, 200, torch.tensor([first])
    seeds = torch.tensor([5])
    phase = telegraph.common_phases(kernels.uniform(seeds, 0, 1, cells, Stream.TELEGRAPH_PHASE))
    row, count = telegraph.block_rows(at, rows, length)
    drawn = kernels.uniform(seeds, row, count, cells, Stream.TELEGRAPH)
    states = telegraph.telegraph(drawn, at, rows, length, phase, torch.tensor(0.5))[0]
    spells = telegraph.spells(first, rows, length)
    assert [row for spell in spells for row in range(rows)[spell]] == list(range(rows))
    assert all((states[spell] == states[spell][0]).all() for spell in spells)
    assert len(spells) <= telegraph.PHASES * (rows / length + 1) + 1


def _noise(chip, x, reads):
    """Sums of one input, read again and again, less what they are without traps."""
    y = chip(x.expand(1, reads, -1), torch.tensor(20.0)) - 20
    return (y - product(x, chip.weights))[0].double()


def test_sums_jump_with_the_size_and_the_correlation_of_their_traps():
    r, length, reads = 0.2, 16, 2048
    x = inputs(1, 1, 30)
    chip = Unknown(30, 40, seed=3, **EXACT, telegraph_noise=r, trap_reads=length)
    chip.output_max.fill_(100.0)
    noise = _noise(chip, x, reads)
    variance = (r * chip.weights * x).square().sum(2)[0].double() / 4
    for lag in (0, 4, 8, 16, 24):
        found = (noise[lag:] * noise[: reads - lag]).mean(0) / variance  # one number a column
        error = found.std() / math.sqrt(len(found))
        assert abs(found.mean() - max(1 - lag / length, 0)) < 4 * error < 0.1
    jumps = (noise.diff(dim=0).abs() > 1e-5).any(1).nonzero()[:, 0]
    assert (((jumps + 1) % (length // telegraph.PHASES)) == 0).all()  # between spells only


def test_a_jump_is_a_share_of_the_weight():
    x = torch.eye(6).unsqueeze(0)
    chip = Unknown(6, 5, seed=0, **EXACT, telegraph_noise=0.4, trap_reads=64)
    seen = torch.stack([chip(x, torch.tensor(4.0))[0] - 4 for _ in range(200)])
    levels = seen / chip.weights[0].mT
    for level in (0.8, 1.2):
        assert 0.45 < ((levels - level).abs() < 1e-3).double().mean() < 0.55
    assert torch.equal(chip.oracle(x).weights, chip.weights)  # right on average


@pytest.mark.slow
@pytest.mark.parametrize("parts", [{}, dict(rows_per_tile=30), dict(crosstalk=0.05)])
@pytest.mark.parametrize("model", [Unknown, ReRAM])
def test_a_chip_with_traps_is_the_same_alone_and_in_a_bank_and_in_halves(model, parts):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    jump, seeds, x = torch.tensor([0.2, 0.0, 0.1]), [3, 1, 4], inputs(3, 41, 97)
    common = dict(trap_reads=16, **parts)
    together = trace(fabricate(model, 97, 41, seeds=seeds, parameters=dict(telegraph_noise=jump, **common)), x)
    for c in range(3):
        alone = trace(model(97, 41, seed=[seeds[c]], telegraph_noise=jump[c].item(), **common), x[c : c + 1])
        assert all(torch.equal(a, t[c : c + 1]) for a, t in zip(alone, together, strict=True))
    quiet = dict(telegraph_noise=0.2, adc_bits=0, **common)
    whole, halves = (model(97, 41, seed=seeds, **quiet) for _ in range(2))
    torch.testing.assert_close(torch.cat([halves(h) for h in x.chunk(3, 1)], 1), whole(x), atol=1e-5, rtol=0)
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.parametrize("model", [ReRAM, pytest.param(FloatingGate, marks=pytest.mark.slow)])
def test_traps_honor_the_contract(model):
    report = check_device(model, telegraph_noise=0.3, trap_reads=16)
    assert report.passed, "\n".join(report.lines())
    said = " ".join(report.lines())
    assert "Changing telegraph_noise from" in said and "Changing trap_reads from" in said
