"""Resistive cells against single pulses written out, and against the published numbers."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from hardware_models.array.presets import RERAM as PRESETS
from hardware_models.effects import write
from hardware_models.memory_cells.reram import ReRAM

DAY = 86400.0
WAN = {
    1.0: [0.348, 16.03, -43.853, 45.393, -16.815],
    DAY: [0.701, 22.086, -50.773, 47.095, -16.458],
    2 * DAY: [0.782, 20.274, -43.507, 37.062, -11.934],
}
EVEN = dict(device_spread=0.0, cycle_spread=0.0, bounds_spread=0.0, asymmetry_spread=0.0, program_noise=0.0)


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


def _programmed(g, **parameters):
    """Program all cells alike, with bounds out of the way, so that no error is cut off."""
    chip = ReRAM(100, 200, seed=0, bounds_spread=0.0, weight_max=4.0, corrupt=0.0, **parameters)
    chip.upper, chip.lower = 2 * chip.upper, 2 * chip.lower
    chip.program(torch.full_like(chip.weights, g) * chip.unit)
    return chip


def _variance(g, seconds):
    return (np.polynomial.polynomial.polyval(g, WAN[seconds]) / 40) ** 2


@pytest.mark.parametrize("seconds", WAN)
@pytest.mark.parametrize("g", [-0.05, 0.2, -0.5, 0.8, -0.95])
def test_programming_leaves_the_measured_error_which_grows_as_measured(g, seconds):
    chip = _programmed(g)
    chip.wait(seconds)
    error = (chip.weights.double() / chip.unit - g).numpy()
    low, high = chi2.ppf([1e-4, 1 - 1e-4], error.size)
    landed = (chip.written / chip.unit).abs().clamp(max=1).double().numpy()
    if seconds == 1.0:
        assert torch.equal(chip.weights, chip.written)
        assert low < (error**2).sum() / _variance(abs(g), 1.0) < high
    else:  # a cell relaxes as its own conductance says, not that it was meant to have
        grown = np.maximum(_variance(landed, seconds) - _variance(landed, 1.0), 0)
        assert low < (error**2).sum() / (_variance(abs(g), 1.0) + grown.mean()) < high
        assert abs(grown.mean() / (_variance(abs(g), seconds) - _variance(abs(g), 1.0)) - 1) < 0.25


@pytest.mark.parametrize("g", [0.05, 0.2, 0.5, 0.8, 0.95])
def test_the_variance_is_a_line_in_the_logarithm_of_time_through_the_measured_ones(g):
    def relaxed(seconds):
        return (
            write.relaxation(torch.tensor(g, dtype=torch.float64), torch.tensor(seconds, dtype=torch.float64)).item()
            ** 2
        )

    for seconds in WAN:
        assert math.isclose(relaxed(seconds), _variance(g, seconds) - _variance(g, 1.0), rel_tol=1e-9, abs_tol=1e-15)
    half = relaxed(DAY**0.5) / relaxed(DAY)
    assert math.isclose(half, 0.5, rel_tol=1e-9)
    assert relaxed(0.0) == relaxed(0.9) == 0 and relaxed(1e9) == relaxed(2 * DAY)


def test_waiting_twice_is_waiting_once_for_longer():
    once, twice = _programmed(0.5), _programmed(0.5)
    once.wait(DAY)
    for _ in range(4):
        twice.wait(DAY / 4)
    assert torch.equal(once.weights, twice.weights)


def test_a_cell_that_is_pulsed_starts_anew_and_the_others_go_on():
    chip, other = _programmed(0.5, step=0.01), _programmed(0.5, step=0.01)
    for each in (chip, other):
        each.wait(DAY)
    change = torch.zeros_like(chip.weights)
    change[:, 0] = 0.05 * chip.unit
    chip.pulse(change)
    pulsed = chip.weights.clone()
    for each in (chip, other):
        each.wait(0.9)
    assert torch.equal(chip.weights[:, 0], pulsed[:, 0])  # younger than a second
    assert torch.equal(chip.weights[:, 1:], other.weights[:, 1:])
    assert (chip.age_seconds[:, 0] < 1).all() and (chip.age_seconds[:, 1:] > DAY).all()
    chip.wait(DAY)
    assert (chip.weights[:, 0] != pulsed[:, 0]).float().mean() > 0.99


def test_without_retention_nothing_happens_in_a_wait():
    chip = _programmed(0.5, retention=0.0)
    before = chip.weights.clone()
    chip.wait(DAY)
    assert torch.equal(chip.weights, before)


def test_the_seconds_may_differ_from_chip_to_chip():
    chips = ReRAM(13, 7, seed=[0, 0, 1])
    before = chips.weights.clone()
    chips.wait(torch.tensor([0.0, DAY, DAY]))
    assert torch.equal(chips.weights[0], before[0]) and not torch.equal(chips.weights[1], before[1])


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


def test_the_range_of_a_cell_closes_with_its_pulses_by_equal_steps_a_decade():
    chip = ReRAM(20, 10, seed=0, **{**EVEN, "retention": 0.0}, step=1e-3, endurance_cycles=100.0, corrupt=0.1)
    works, upper = chip.step_up > 0, chip.upper.clone()
    assert (~works).any()
    stuck, ask, half = chip.weights[~works].clone(), torch.full_like(chip.weights, 1.0), torch.ones(1, 10, 1)
    half[:, 5:] = 0  # rows that nobody writes
    for pulses in range(31, 31 * 100, 31):
        assert chip.pulse(ask * half) == 31 * 5 * 20
        left = 1 - min(max(math.log(pulses / 100) / math.log(1000), 0), 1)
        torch.testing.assert_close(chip.upper / upper, torch.where(works & (half > 0), left, 1.0), atol=1e-6, rtol=0)
    assert torch.equal(chip.weights[~works], stuck)
    assert (chip.weights <= chip.upper).all()
    written = works & (half > 0)
    assert (chip.weights[written] > 0.95 * chip.upper[written]).all()  # as far as it can go


def test_a_worn_out_cell_can_be_told_nothing_and_programming_wears_too():
    chip = ReRAM(20, 10, seed=0, **EVEN, endurance_cycles=0.01)
    assert (chip.upper > 0.9 * chip.unit).all()
    for _ in range(3):
        chip.program(torch.full_like(chip.weights, 1.0))
    assert (chip.cycles == 3 * 8.5).all()
    assert torch.allclose(chip.upper, 1e-3 * chip.fresh_upper)
    chip.pulse(torch.full_like(chip.weights, -1.0))
    assert chip.weights.isfinite().all() and (chip.weights.abs() <= 1e-3 * chip.unit).all()


def test_endurance_may_differ_from_chip_to_chip_and_is_part_of_the_state():
    bank = ReRAM(13, 7, seed=[3, 3, 3], endurance_cycles=torch.tensor([0.0, 5.0, 50.0]))
    plain, other = ReRAM(13, 7, seed=3), ReRAM(13, 7, seed=[1, 2, 3], endurance_cycles=1.0)
    ask = torch.linspace(-0.5, 0.5, 7 * 13).reshape(1, 7, 13)
    for _ in range(4):
        plain.pulse(ask)
        bank.pulse(ask.expand(3, -1, -1))
    assert torch.equal(bank.weights[0], plain.weights[0])
    assert not torch.equal(bank.weights[1], bank.weights[2])
    other.load_state_dict(bank.state_dict())
    for device in (bank, other):
        device.pulse(-ask.expand(3, -1, -1))
    assert torch.equal(bank.weights, other.weights) and torch.equal(bank.upper, other.upper)
