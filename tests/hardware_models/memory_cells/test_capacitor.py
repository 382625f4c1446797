"""Capacitor cells: the leak against the exponential, and its spread; laws are tested in test_pulsed."""

import math

import torch
from scipy.stats import chi2, norm

from hardware_models.memory_cells.capacitor import Capacitor


def test_after_one_lifetime_one_eth_is_left():
    chip = Capacitor(13, 7, seed=0, lifetime_seconds=2.5, lifetime_spread=0.0)
    before = chip.weights.clone()
    chip.wait(2.5)
    assert torch.allclose(chip.weights, before * math.exp(-1), rtol=1e-5)


def test_each_cell_has_a_lifetime_of_its_own_spread_as_published():
    chip = Capacitor(100, 200, seed=0)
    before = chip.weights.double()
    chip.wait(100.0)
    lifetimes = -100.0 / (chip.weights.double() / before).log().flatten()
    n = lifetimes.numel()
    uncut = (lifetimes - 1000.0) / 300.0
    assert (lifetimes > 49.9).all()  # a twentieth at least
    low, high = chi2.ppf([0.005, 0.995], n)
    assert low < uncut.square().sum() < high
    assert abs(uncut.mean()) < norm.ppf(0.995) / math.sqrt(n) + 1e-3


def test_many_short_waits_are_one_long():
    once, often = Capacitor(13, 7, seed=0), Capacitor(13, 7, seed=0)
    once.wait(500.0)
    for _ in range(10):
        often.wait(50.0)
    assert torch.allclose(once.weights, often.weights, rtol=1e-5)


def test_what_is_empty_stays_so_and_pulses_refill():
    chip = Capacitor(13, 7, seed=0, cycle_spread=0.0)
    chip.wait(1e9)
    assert (chip.weights == 0).all()
    chip.pulse(torch.full_like(chip.weights, 10 * 0.005) * chip.unit)
    assert torch.allclose(chip.weights, 10 * chip.step_up, rtol=0.01)


def test_chips_may_have_waited_each_for_its_time():
    chips = Capacitor(13, 7, seed=[0, 0], lifetime_spread=0.0, lifetime_seconds=torch.tensor([1.0, 2.0]))
    before = chips.weights.clone()
    chips.wait(torch.tensor([1.0, 2.0]))
    assert torch.allclose(chips.weights, before * math.exp(-1), rtol=1e-5)
