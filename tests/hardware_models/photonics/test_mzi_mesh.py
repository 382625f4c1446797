"""The mesh as a device: what is asked, what is seen, and what it costs."""

import math

import numpy as np
import pytest
import torch

from hardware_models.effects.interferometer import phases_of
from hardware_models.photonics.mzi_mesh import MZIMesh
from tests.hardware_models.effects.test_interferometer import dense

EXACT = dict(
    phase_bits=0,
    phase_noise_radians=0.0,
    write_noise_radians=0.0,
    coupler_error=0.0,
    insertion_loss_decibel=0.0,
)


def _weights(n_out, n_in, seed=0, chips=1):
    return torch.randn(chips, n_out, n_in, generator=torch.Generator().manual_seed(seed)) / n_in**0.5


def _relative(chip, asked):
    return ((chip.weights - asked).square().sum() / asked.square().sum()).item()


@pytest.mark.parametrize("n_in, n_out, mesh_size", [(13, 7, 32), (13, 7, 4), (64, 32, 32), (65, 33, 32), (2, 2, 2)])
def test_without_errors_the_weights_are_what_was_asked(n_in, n_out, mesh_size):
    chip, w = MZIMesh(n_in, n_out, seed=0, mesh_size=mesh_size, **EXACT), _weights(n_out, n_in)
    chip.program(w)
    assert (chip.weights - w).abs().max() < 1e-6
    chip.pulse(0.1 * w)
    assert (chip.weights - 1.1 * w).abs().max() < 1e-6


def test_the_weights_are_the_real_part_of_two_meshes_written_out():
    """One block with every error, and two columns of it unused."""
    n, asked = 6, _weights(6, 4)
    chip = MZIMesh(4, 6, seed=3, mesh_size=n, write_noise_radians=0.0, phase_noise_radians=0.2, coupler_error=0.1)
    chip.program(asked)
    block = np.zeros((n, n))
    block[:, :4] = asked[0].numpy()
    u, s, v = np.linalg.svd(block)
    passed, step = 10 ** (-0.1 / 20), 2 * math.pi / 2**10
    phases = phases_of(torch.from_numpy(np.stack([v, u]))).div(step).round().mul(step) + chip.phase_errors[0]
    after, before = (
        dense(n, *numbers, passed) for numbers in zip(phases[[1, 0]], chip.coupler_errors[0, [1, 0]], strict=True)
    )
    expected = (after @ np.diag(s / passed ** (2 * (n - 1))) @ before).real
    assert np.abs(chip.weights[0].numpy() - expected[:, :4]).max() < 1e-6


def test_a_chip_of_unit_singular_values_is_off_by_the_derived_law():
    n, sigma, chips = 16, 1e-3, 200
    u = torch.linalg.qr(torch.randn(chips, n, n, generator=torch.Generator().manual_seed(0)))[0]
    chip = MZIMesh(n, n, seed=range(chips), mesh_size=n, **EXACT | dict(phase_noise_radians=sigma))
    chip.program(u)
    off = (chip.weights - u).square().sum((1, 2)) / n
    assert abs(off.mean() - sigma**2 * (n - 1) / 2) < 4 * off.std() / chips**0.5


def test_weights_are_off_in_proportion_to_the_noise_of_phases_and_the_square_of_coupler_errors():
    asked = _weights(64, 64)

    def power(name, sizes):
        off = []
        for size in sizes:
            chip = MZIMesh(64, 64, seed=0, **EXACT | {name: size})
            chip.program(asked)
            off.append(_relative(chip, asked) ** 0.5)
        return np.polyfit(np.log(sizes), np.log(off), 1)[0]

    assert power("phase_noise_radians", [0.001, 0.002, 0.005]) == pytest.approx(1, abs=0.03)
    assert power("write_noise_radians", [0.001, 0.002, 0.005]) == pytest.approx(1, abs=0.03)
    assert power("coupler_error", [0.005, 0.01, 0.02]) == pytest.approx(2, abs=0.06)


def test_a_bit_more_halves_what_rounding_does():
    asked = _weights(64, 64)
    off = []
    for bits in (8, 9, 10):
        chip = MZIMesh(64, 64, seed=0, **EXACT | dict(phase_bits=bits))
        chip.program(asked)
        off.append(_relative(chip, asked))
    step = 2 * math.pi / 2**8
    assert off[0] == pytest.approx(step**2 / 12 * 31 / 2, rel=0.2)  # a rounding is a small error like any
    assert off[0] / off[1] == pytest.approx(4, rel=0.2) and off[1] / off[2] == pytest.approx(4, rel=0.2)


def test_static_errors_stay_and_errors_of_setting_are_drawn_anew():
    asked = _weights(8, 8)

    def twice(**errors):
        chip = MZIMesh(8, 8, seed=0, **EXACT | errors)
        return [(chip.program(asked), chip.weights.clone())[1] for _ in range(2)]

    same, other = twice(phase_noise_radians=0.05), twice(write_noise_radians=0.05)
    assert torch.equal(*same) and not torch.allclose(same[0], asked, atol=1e-3)
    assert not torch.allclose(*other, atol=1e-3)


def test_amplifiers_end_at_the_printed_greatest_and_the_controller_keeps_what_is_left():
    chip = MZIMesh(8, 8, seed=0, mesh_size=8, singular_max=1.0, **EXACT)
    most = chip.datasheet.weight_max
    assert most == pytest.approx(2.0)  # 2 sqrt(8 / 8)
    chip.program(torch.diag(torch.arange(1.0, 9.0))[None])
    assert torch.allclose(chip.weights, torch.diag(torch.tensor([1.0] + 7 * [2.0]))[None], atol=1e-6)
    chip.pulse(-torch.diag(torch.tensor(7 * [0.0] + [0.5]))[None])
    assert chip.weights[0, 7, 7] == pytest.approx(1.5, abs=1e-6)


def test_loss_takes_from_the_range_and_its_mean_from_nothing_else():
    lossless, lossy = (
        MZIMesh(64, 64, seed=0, **EXACT),
        MZIMesh(64, 64, seed=0, **EXACT | dict(insertion_loss_decibel=0.1)),
    )
    assert lossy.datasheet.weight_max / lossless.datasheet.weight_max == pytest.approx(10 ** (-62 * 0.1 / 20))
    asked = _weights(64, 64)
    lossy.program(asked)
    share = (lossy.weights * asked).sum() / asked.square().sum()
    assert share == pytest.approx(1, abs=0.01)
    assert 1e-4 < _relative(lossy, asked) < 2e-3  # ports at the edge lose less, which no amplifier mends


def test_a_write_sets_the_phases_of_blocks_that_change_and_leaves_the_others():
    chip = MZIMesh(64, 32, seed=[0, 1])
    before = chip.weights.clone()
    change = torch.zeros(2, 32, 64)
    change[1, 3, 40] = 0.1
    assert chip.pulse(change).tolist() == [0, 2 * 32**2]
    moved = chip.weights != before
    assert not moved[0].any() and not moved[1, :, :32].any() and moved[1, :, 32:].float().mean() > 0.99
    assert chip.program(before).tolist() == [4 * 32**2, 4 * 32**2]


def test_small_changes_add_up_in_the_controller():
    """What a write asks for is not lost in phases that are off: it is asked again with the next."""
    chip, step = MZIMesh(32, 32, seed=0), torch.full((1, 32, 32), 1e-3)
    start = chip.asked.clone()
    for _ in range(20):
        chip.pulse(step)
    assert torch.allclose(chip.asked, start + 20 * step, atol=1e-6)
    assert abs((chip.weights - start).mean() - 0.02) < 4 * 0.05 / 32**0.5 / 32


def test_the_datasheet_charges_for_heat():
    sheet = MZIMesh(784, 128, seed=0).datasheet
    phases = 25 * 4 * 2 * 32**2
    assert sheet.parallel_pulses == phases
    assert sheet.read_joules == pytest.approx(phases * 25e-3 * 100e-9)
    assert sheet.pulse_joules == pytest.approx(25e-3 * 10e-6)


def test_heaters_are_held_in_every_round_of_a_read_that_is_sent_bit_by_bit():
    """Of 64 x 64 in meshes of 32: 4 blocks of 2048 phases, 25 mW and 100 ns each a bit, so 20.48 uJ a bit; 5 bits."""
    bits, tiles = (
        MZIMesh(64, 64, seed=0, **told).datasheet for told in (dict(bit_serial=True, dac_bits=5), dict(rows_per_tile=8))
    )
    assert bits.read_joules == pytest.approx(5 * 20.48e-6) and bits.signal_joules == 0
    assert tiles.read_joules == pytest.approx(20.48e-6)
    assert bits.settle_seconds == pytest.approx(5e-9)


def test_each_chip_may_have_its_own_errors():
    asked = _weights(32, 32).expand(2, -1, -1)
    chips = MZIMesh(32, 32, seed=[5, 5], **EXACT | dict(phase_noise_radians=torch.tensor([0.0, 0.05])))
    chips.program(asked)
    assert (chips.weights[0] - asked[0]).abs().max() < 1e-6 < (chips.weights[1] - asked[1]).abs().max()
