"""Pairs of cells whose conductances only fall: the law of a pulse, the range that learning consumes, retention."""

import pytest
import torch

from hardware_models.effects import write
from hardware_models.memory_cells.reset_only import ResetOnly

EVEN = dict(device_spread=0.0, cycle_spread=0.0, program_noise=0.0, retention=0.0)


def made(**parameters) -> ResetOnly:
    return ResetOnly(13, 7, seed=[0, 1], **EVEN | parameters)


def pulsed(chip: ResetOnly, sign: float, times: int) -> None:
    for _ in range(times):
        chip.pulse(sign * (chip.step * chip.unit).expand_as(chip.weights))


def test_a_weight_grows_by_resets_of_its_minus_cell():
    chip = made()
    plus, minus = (half.clone() for half in chip.cells.chunk(2, 1))
    pulsed(chip, 1.0, 5)
    after = chip.cells.chunk(2, 1)
    assert torch.equal(after[0], plus)
    left = (1 - 0.002 / 0.8) ** 5
    torch.testing.assert_close(after[1], minus * left, rtol=1e-5, atol=0)
    torch.testing.assert_close(chip.weights, chip.unit * (after[0] - after[1]))


def test_a_cell_at_its_start_moves_by_the_step_and_an_emptied_one_by_less():
    chip = made(step=0.05)
    chip.program(torch.zeros_like(chip.weights))
    before = chip.weights.clone()
    pulsed(chip, -1.0, 1)
    first = before - chip.weights
    torch.testing.assert_close(first, (chip.step * chip.unit).expand_as(first), rtol=1e-4, atol=0)
    pulsed(chip, -1.0, 20)
    late = chip.weights.clone()
    pulsed(chip, -1.0, 1)
    torch.testing.assert_close(late - chip.weights, first * (1 - 0.05 / 0.8) ** 21, rtol=1e-3, atol=0)


def test_learning_there_and_back_consumes_the_range_until_it_is_programmed():
    chip = made(step=0.1)
    chip.program(torch.zeros_like(chip.weights))
    for _ in range(20):
        pulsed(chip, 1.0, 1)
        pulsed(chip, -1.0, 1)
    torch.testing.assert_close(chip.cells, torch.full_like(chip.cells, 0.8 * (1 - 0.1 / 0.8) ** 20))
    assert chip.weights.abs().max() < 1e-5
    chip.program(torch.zeros_like(chip.weights))
    torch.testing.assert_close(chip.cells, torch.full_like(chip.cells, 0.8))


def test_an_update_is_a_single_pulse_and_its_mean_is_unbiased():
    chip = ResetOnly(200, 300, seed=0, **EVEN)
    chip.program(torch.zeros_like(chip.weights))
    step = chip.step * chip.unit
    assert chip.pulse((10 * step).expand_as(chip.weights)).item() == chip.weights.numel()
    assert chip.datasheet.change_max == pytest.approx(step.item())
    before = chip.cells.clone()
    count = chip.pulse((0.3 * step).expand_as(chip.weights)).item()
    sigma = (0.3 * 0.7 * chip.weights.numel()) ** 0.5
    assert abs(count - 0.3 * chip.weights.numel()) < 5 * sigma
    assert int((chip.cells != before).sum()) == count


def test_cycles_differ_by_their_spread():
    chip = ResetOnly(200, 300, seed=0, **EVEN | {"cycle_spread": 0.5})
    chip.program(torch.zeros_like(chip.weights))
    step = chip.step * chip.unit
    chip.pulse(step.expand_as(chip.weights))
    moves = (chip.weights / step).flatten()
    assert moves.mean().item() == pytest.approx(1.0, abs=5 * 0.5 / moves.numel() ** 0.5)
    assert moves.std().item() == pytest.approx(0.5, rel=0.02)


def test_cells_relax_as_published_and_start_anew_when_written():
    chip = ResetOnly(200, 300, seed=0, **EVEN | {"retention": 1.0}, start=0.5)
    chip.program(torch.zeros_like(chip.weights))
    before = chip.cells.clone()
    chip.wait(write.DAY_SECONDS)
    expected = write.relaxation(torch.tensor(0.5), torch.tensor(write.DAY_SECONDS)).item()
    assert (chip.cells - before).std().item() == pytest.approx(expected, rel=0.02)
    pulsed(chip, 1.0, 1)
    plus, minus = (half.clone() for half in chip.cells.chunk(2, 1))
    chip.wait(write.DAY_SECONDS)
    assert not torch.equal(chip.cells.chunk(2, 1)[0], plus)  # still on its way
    chip.pulse(torch.zeros_like(chip.weights))
    written = chip.age_seconds.chunk(2, 1)
    assert (written[0] == 2 * write.DAY_SECONDS).all() and (written[1] == write.DAY_SECONDS).all()
    assert (chip.cells.chunk(2, 1)[1] - minus).std().item() == pytest.approx(
        write.relaxation(minus.mean(), torch.tensor(write.DAY_SECONDS)).item(), rel=0.02
    )


def test_waiting_in_pieces_is_waiting_at_once():
    whole, parts = (ResetOnly(13, 7, seed=0) for _ in range(2))
    for chip in (whole, parts):
        pulsed(chip, 1.0, 3)
    whole.wait(5000.0)
    for _ in range(5):
        parts.wait(1000.0)
    torch.testing.assert_close(whole.weights, parts.weights)
