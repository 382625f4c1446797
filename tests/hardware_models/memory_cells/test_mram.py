"""Magnetic cells: states, coins, and what a failed carry costs."""

import math

import pytest
import torch
from scipy.stats import binom

from hardware_models.effects.switching import switching_probability
from hardware_models.memory_cells.mram import MRAM

EXACT = dict(write_volts=10.0, switch_spread_volts=0.0)
SIZE = (100, 200)


def _p(volts, median=0.5, width=0.02):
    return 1 / (1 + math.exp(-(volts - median) / width))


def test_the_switching_probability_is_one_half_at_the_median_and_has_its_width():
    volts = torch.linspace(0.4, 0.6, 21, dtype=torch.float64)
    wanted = torch.tensor([_p(v) for v in volts.tolist()], dtype=torch.float64)
    assert torch.allclose(switching_probability(volts, torch.tensor(0.5), torch.tensor(0.02)), wanted, atol=1e-7)
    assert wanted[10] == 0.5 and math.isclose(wanted[12] / (1 - wanted[12]), math.e, rel_tol=1e-9)


@pytest.mark.parametrize("volts", [0.44, 0.48, 0.5, 0.52, 0.56])
def test_a_pulse_turns_a_cell_over_as_often_as_the_sigmoid_says(volts):
    chip = MRAM(*SIZE, seed=0, bits=1, write_volts=volts, switch_spread_volts=0.0)
    n = chip.weights.numel()
    down = (chip.weights < 0).sum().item()
    spent = chip.pulse(torch.full_like(chip.weights, 10.0))
    assert spent == down
    left = (chip.weights < 0).sum().item()
    low, high = binom.ppf([0.005, 0.995], down, _p(volts))
    assert low <= down - left <= high
    again = chip.pulse(torch.full_like(chip.weights, 10.0))  # a second toss of those that failed
    low, high = binom.ppf([0.005, 0.995], left, _p(volts))
    assert again == left and low <= left - (chip.weights < 0).sum().item() <= high
    assert n == 20_000


def test_the_mean_over_cells_that_differ_is_that_of_the_sigmoid_over_their_voltages():
    chip = MRAM(*SIZE, seed=0, bits=1, write_volts=0.52, switch_spread_volts=0.03)
    down = (chip.weights < 0).sum().item()
    chip.pulse(torch.full_like(chip.weights, 10.0))
    nodes = torch.linspace(-6, 6, 2001, dtype=torch.float64)
    weights = torch.exp(-(nodes**2) / 2)
    mean = (torch.sigmoid((0.52 - 0.5 - 0.03 * nodes) / 0.02) * weights).sum() / weights.sum()
    low, high = binom.ppf([0.005, 0.995], down, mean.item())
    assert low <= down - (chip.weights < 0).sum().item() <= high


@pytest.mark.parametrize("bits", [1, 2, 3, 6])
def test_a_weight_is_the_exact_sum_of_cells_that_are_plus_or_minus_one(bits):
    chip = MRAM(13, 7, seed=[0, 1], bits=bits)
    cells = [(chip.codes >> b & 1) * 2 - 1 for b in range(bits)]
    wanted = chip.unit * sum(2**b * s for b, s in enumerate(cells)) / (2**bits - 1)
    assert torch.allclose(chip.weights, wanted, atol=1e-6)
    ends = torch.cat([torch.full((2, 7, 7), 1e3), torch.full((2, 7, 6), -1e3)], 2)
    chip.program(ends)
    assert torch.allclose(chip.weights.abs() / chip.unit, torch.ones(()))
    assert torch.equal(chip.weights.sign(), ends.sign())


def test_programming_verifies_and_counts_its_tries():
    chip = MRAM(*SIZE, seed=0, write_volts=0.5, switch_spread_volts=0.0)
    goal = torch.linspace(-0.3, 0.3, chip.weights.numel()).reshape(chip.weights.shape)
    before = chip.codes.clone()
    spent = chip.program(goal)
    step = 2 * chip.unit / (2**6 - 1)
    assert ((chip.weights - goal).abs() <= step / 2 * 1.001).all()
    turned = sum(((before ^ chip.codes) >> b & 1).sum().item() for b in range(6))
    assert abs(spent.item() - 2 * turned) <= 1  # each try succeeds with one half
    assert chip.program(goal) == 0


def test_sure_pulses_land_on_average_by_stochastic_rounding():
    chip = MRAM(*SIZE, seed=0, **EXACT)
    before = chip.weights.double()
    step = (2 * chip.unit / 63).double()
    chip.pulse((1.3 * step).float().expand_as(chip.weights))
    moved = ((chip.weights - before) / step).round()
    inside = before < chip.unit - 3 * step
    moved = moved[inside]
    assert set(moved.tolist()) == {1.0, 2.0}
    n = moved.numel()
    low, high = binom.ppf([0.005, 0.995], n, 0.3)
    assert low <= (moved == 2).sum() <= high


def test_a_carry_that_fails_half_way_is_off_by_a_power_of_two():
    chip = MRAM(*SIZE, seed=0, bits=4, write_volts=0.5, switch_spread_volts=0.0)
    chip.codes.fill_(0b0111)
    step = 2 * chip.unit / 15
    spent = chip.pulse(step.expand_as(chip.weights))
    assert spent == 4 * chip.weights.numel()
    counts = torch.bincount(chip.codes.flatten(), minlength=16)
    n = chip.weights.numel()
    low, high = binom.ppf([0.001, 0.999], n, 1 / 16)  # four fair coins: every code is as likely
    assert ((counts >= low) & (counts <= high)).all()


def test_a_lower_voltage_costs_less_and_fails_more():
    low, high = MRAM(13, 7, seed=0, write_volts=0.5), MRAM(13, 7, seed=0, write_volts=0.7)
    assert low.datasheet.pulse_joules < high.datasheet.pulse_joules
    assert math.isclose(high.datasheet.pulse_joules, 0.7**2 / 10e3 * 10e-9)
    assert (low.probability < high.probability).all()


def test_time_changes_nothing():
    chip = MRAM(13, 7, seed=0)
    before = chip.weights.clone()
    chip.wait(1e9)
    assert torch.equal(chip.weights, before)
