"""Floating gates: the logarithm of the programming time, and units; the law's pulses are tested in test_pulsed."""

import math

import numpy as np
import pytest
import torch

from hardware_models.memory_cells.floating_gate import FloatingGate

EVEN = dict(device_spread=0.0, cycle_spread=0.0, bounds_spread=0.0, program_noise=0.0)


def _volts(chip):
    return (chip.weights.double() / chip.unit).mean().item() * 1.0


def test_the_shift_goes_with_the_logarithm_of_the_pulses():
    chip = FloatingGate(13, 7, seed=0, **EVEN, fold_volts=0.1, weight_max=4.0)
    chip.program(torch.zeros_like(chip.weights))
    counts, shifts = [], []
    for n in range(1, 65):
        chip.pulse((10 * chip.step * chip.unit).expand_as(chip.weights))
        counts.append(10 * n)
        shifts.append(_volts(chip))
    late = slice(31, None)
    slope = np.polyfit(np.log(counts[late]), shifts[late], 1)[0]
    assert abs(slope / 0.1 - 1) < 0.03  # one fold an e-fold of time, up to 1 in n d / w0 = 32
    assert np.allclose(shifts, 0.1 * np.log1p(np.array(counts) * 0.01 / 0.1), atol=1e-5)


def test_the_window_is_crossed_in_the_pulses_that_the_law_says():
    chip = FloatingGate(13, 7, seed=0, **EVEN)
    chip.program(torch.full_like(chip.weights, -1e3))
    wanted = 0.5 / 0.01 * (math.exp(1 / 0.5) - math.exp(-1 / 0.5))
    pulses = 0
    while (chip.weights < chip.upper).any():
        chip.pulse((chip.step * chip.unit).expand_as(chip.weights))
        pulses += 1
    assert abs(pulses - wanted) <= 2


@pytest.mark.parametrize("volts", [0.5, 1.0, 2.0])
def test_only_the_ratios_of_the_voltages_matter(volts):
    change = torch.linspace(-0.2, 0.3, 7 * 13).reshape(1, 7, 13)
    chips = [FloatingGate(13, 7, seed=0, step_volts=0.02 * v, window_volts=v, fold_volts=0.5 * v) for v in (1.0, volts)]
    for chip in chips:
        chip.pulse(change)
    assert torch.allclose(chips[0].weights, chips[1].weights, atol=1e-5)


def test_a_step_back_from_far_out_is_large():
    chip = FloatingGate(13, 7, seed=0, **EVEN)
    for share in (0.8, -0.8):
        sizes = []
        for sign in (1, -1):
            chip.program(torch.full_like(chip.weights, share) * chip.unit)
            before = chip.weights.clone()
            chip.pulse((sign * chip.step * chip.unit).expand_as(chip.weights))
            sizes.append((chip.weights - before).abs().mean().item())
        outward, back = sizes if share > 0 else sizes[::-1]
        assert abs(math.log(back / outward) / (2 * 0.8 / 0.5) - 1) < 0.05


def test_charge_leaks_in_ten_years_at_85_degrees_and_by_its_activation_elsewhere():
    chip = FloatingGate(13, 7, seed=[0, 0, 0], **EVEN, temperature_kelvin=torch.tensor([358.15, 368.15, 300.0]))
    was, year = chip.weights.clone(), 365.25 * 86400.0
    chip.wait(10 * year)
    left = (chip.weights / was).mean((1, 2)).tolist()
    faster = math.exp(1.1 / 8.617333e-5 * (1 / 358.15 - 1 / 368.15))
    assert left[:2] == pytest.approx([math.exp(-1), math.exp(-faster)], rel=1e-4)
    assert 0.998 < left[2] < 1


def test_without_a_temperature_it_forgets_nothing():
    chip = FloatingGate(13, 7, seed=0)
    was = chip.weights.clone()
    chip.wait(1e12)
    assert torch.equal(chip.weights, was)


def test_waiting_twice_is_waiting_once_for_longer():
    once, twice = (FloatingGate(13, 7, seed=0, temperature_kelvin=400.0) for _ in range(2))
    once.wait(3e6)
    twice.wait(1e6)
    twice.wait(2e6)
    assert torch.allclose(once.weights, twice.weights, rtol=1e-5)
