"""Resistive cells against single pulses written out, and against the published numbers."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from hardware_models.effects.write import soft_bounds
from hardware_models.reram import ReRAM
from hardware_models.reram_presets import PRESETS

WAN = [0.348, 16.03, -43.853, 45.393, -16.815]
EVEN = dict(device_spread=0.0, cycle_spread=0.0, bounds_spread=0.0, asymmetry_spread=0.0, program_noise=0.0)


@pytest.mark.parametrize("pulses", [-31, -2, -1, 0, 1, 5, 31])
def test_the_closed_form_is_that_many_single_pulses(pulses):
    generator = torch.Generator().manual_seed(0)
    w = torch.rand(1000, generator=generator, dtype=torch.float64) - 0.5
    up, down, high, low = (0.01, 0.03, 0.8, -1.2)
    wanted = w.clone()
    for _ in range(abs(pulses)):
        wanted += up * (1 - wanted / high) if pulses > 0 else -down * (1 - wanted / low)
    sides = [torch.tensor(v, dtype=torch.float64) for v in (up, down, high, low)]
    moved = soft_bounds(w, torch.full_like(w, pulses), *sides)
    assert torch.allclose(w + moved, wanted, atol=1e-12, rtol=0)


def test_a_device_counts_its_pulses_and_each_is_a_soft_bounds_step():
    chip = ReRAM(13, 7, seed=[0, 1], step=0.01, cycle_spread=0.0, asymmetry=0.2)
    n = torch.arange(2 * 7 * 13).reshape(2, 7, 13) % 41 - 20
    wanted = chip.weights.double()
    for k in range(20):
        up = chip.step_up * (1 - wanted / chip.upper)
        down = chip.step_down * (1 - wanted / chip.lower)
        wanted = wanted + torch.where(n > k, up, 0.0) - torch.where(-n > k, down, 0.0)
    spent = chip.pulse(n * 0.01 * chip.unit)
    assert torch.equal(spent, n.abs().sum((1, 2)))
    assert torch.allclose(chip.weights.double(), wanted, atol=1e-5)


def test_alternating_pulses_lead_to_the_symmetry_point():
    chip = ReRAM(13, 7, seed=0, step=0.02, asymmetry=0.3, cycle_spread=0.0)
    ask = (chip.step * chip.unit).expand(1, 7, 13)
    for _ in range(400):
        chip.pulse(ask)
        chip.pulse(-ask)
    point = (chip.step_up - chip.step_down) / (chip.step_up / chip.upper - chip.step_down / chip.lower)
    assert (point > 0).all()
    assert ((chip.weights - point).abs() <= 1.5 * torch.maximum(chip.step_up, chip.step_down)).all()


def test_a_train_has_31_pulses_at_most_and_bounds_hold():
    chip = ReRAM(13, 7, seed=0)
    assert chip.pulse(torch.full((1, 7, 13), 1e3)) == 31 * 7 * 13
    for _ in range(50):
        chip.pulse(torch.full((1, 7, 13), 1e3))
        assert (chip.weights <= chip.upper).all() and (chip.weights >= chip.lower).all()


def test_cycle_noise_grows_with_the_root_of_the_pulses():
    for k in (1, 16):
        chip = ReRAM(100, 100, seed=0, **{**EVEN, "cycle_spread": 0.5}, step=1e-4, weight_max=20.0)
        chip.program(torch.zeros_like(chip.weights))
        step = 1e-4 * chip.unit.item()
        chip.pulse(torch.full_like(chip.weights, k * step))
        moved = chip.weights / step
        n = moved.numel()
        assert abs(moved.mean() - k) < 4 * 0.5 * math.sqrt(k / n) + 0.01 * k  # 1 %: the bound pulls a little
        assert abs(moved.std() / (0.5 * math.sqrt(k)) - 1) < 4 / math.sqrt(2 * n) + 0.01


@pytest.mark.parametrize("g", [0.05, 0.2, 0.5, 0.8, 0.95])
def test_programming_leaves_the_measured_error(g):
    chip = ReRAM(100, 200, seed=0, bounds_spread=0.0, weight_max=4.0)
    spare = chip.upper.clone()
    chip.upper, chip.lower = 2 * chip.upper, 2 * chip.lower  # so that no error is cut off
    chip.program(torch.full_like(chip.weights, -g * spare[0, 0, 0].item()))
    n = chip.weights.numel()
    error = (chip.weights.double() / chip.unit + g).numpy()
    wanted = np.polynomial.polynomial.polyval(g, WAN) / 40
    low, high = chi2.ppf([1e-4, 1 - 1e-4], n)
    assert low < (error**2).sum() / wanted**2 < high


def test_stuck_cells_are_as_many_as_published_and_stay():
    chip = ReRAM(100, 200, seed=0, preset="om-2022")
    n, share = 20_000, PRESETS["om-2022"].corrupt
    stuck = chip.step_up == 0
    assert abs(stuck.float().mean() - share) < 4 * math.sqrt(share * (1 - share) / n)
    before = chip.weights.clone()
    chip.pulse(torch.full_like(before, 1.0))
    chip.program(torch.zeros_like(before))
    assert torch.equal(chip.weights[stuck], before[stuck])
    assert (chip.weights[~stuck] != before[~stuck]).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_have_their_spreads_and_can_be_overridden(preset):
    published = PRESETS[preset]
    chip = ReRAM(100, 200, seed=0, preset=preset, corrupt=0.0, asymmetry_spread=0.0)
    n = chip.weights.numel()
    spread = (chip.step_up / (published.step * chip.unit)).log().std()
    assert abs(spread - published.device_spread) < 4 * published.device_spread / math.sqrt(2 * n)
    assert (ReRAM(13, 7, seed=0, preset=preset, step=0.05).step == 0.05).all()


def test_cells_fluctuate_by_the_share_of_the_greatest_weight():
    n, n_in = 20_000, 16
    chip = ReRAM(n_in, 1, seed=0, weight_noise=0.01, read_noise=0.0, adc_bits=0, dac_bits=0)
    y = chip(torch.full((1, n, n_in), 1.5), torch.tensor(4.0)).double()
    wanted = 0.01 * 4.0 / math.sqrt(n_in) * 1.5 * math.sqrt(n_in)
    low, high = chi2.ppf([1e-4, 1 - 1e-4], n - 1)
    assert low < y.var() * (n - 1) / wanted**2 < high
