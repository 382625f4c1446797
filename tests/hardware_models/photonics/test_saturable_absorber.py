"""Saturable absorbers: against light that is followed through the absorber, and in their limits."""

import math

import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from hardware_models.effects.photonics import bleached, transmission
from hardware_models.photonics.saturable_absorber import SaturableAbsorber

QUIET = dict(program_noise=0.0, read_noise=0.0, adc_bits=0, dac_bits=0, absorption_spread=0.0)
D = torch.float64
POWERS = [1e-9, 1e-3, 0.1, 0.5, 1.0, 2.0, 5.0, 30.0, 1e4]


def _answers(a, **parameters):
    """Return what a chip puts out for weighted sums: one input of 1, and the sums as weights."""
    chip = SaturableAbsorber(1, len(a), seed=0, **QUIET | parameters)
    chip.program(torch.tensor(a)[None, :, None])
    return chip(torch.ones(1, 1, 1))[0, 0]


@pytest.mark.parametrize("depth", [0.0, 0.1, 2.0, 6.0])
def test_a_thin_absorber_transmits_by_its_formula(depth):
    for p in POWERS:
        seen = transmission(torch.tensor(p, dtype=D), depth).item()
        assert seen == pytest.approx(math.exp(-depth / (1 + p)), rel=1e-12)


@pytest.mark.parametrize("depth", [0.1, 2.0, 6.0])
@pytest.mark.parametrize("p", POWERS)
def test_a_deep_absorber_solves_seldens_equation(depth, p):
    seen = bleached(torch.tensor(p, dtype=D), depth).item() / p
    wanted = brentq(lambda t: math.log(t) + depth - p * (1 - t), 1e-9, 1 + 1e-9, xtol=1e-15)
    assert seen == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("depth, p", [(2.0, 0.3), (2.0, 3.0), (6.0, 1.0)])
def test_a_deep_absorber_is_what_light_meets_slice_by_slice(depth, p):
    way = solve_ivp(lambda _, now: -depth * now / (1 + now), (0, 1), [p], rtol=1e-10, atol=1e-14)
    assert bleached(torch.tensor(p, dtype=D), depth).item() == pytest.approx(way.y[0, -1], rel=1e-7)


def test_the_two_agree_where_little_is_absorbed_and_part_where_much_is():
    one = torch.tensor(1.0, dtype=D)
    assert transmission(one, 0.01) == pytest.approx(bleached(one, 0.01).item(), rel=1e-4)
    assert transmission(one, 2.0).item() == pytest.approx(0.37, abs=0.005)
    assert bleached(one, 2.0).item() == pytest.approx(0.28, abs=0.005)


@pytest.mark.parametrize("absorber", ["thin", "deep"])
def test_weak_light_is_dimmed_and_strong_light_passes(absorber):
    y = _answers([-3.0, 0.0, 1e-4, 7.0], absorber=absorber, saturation_watts=1e-2)
    assert y[:2].tolist() == [0, 0]
    assert y[2].item() == pytest.approx(1e-4 * math.exp(-2), rel=1e-3)
    assert _answers([7.0], absorber=absorber, saturation_watts=1e-6)[0].item() == pytest.approx(7, rel=1e-3)


@pytest.mark.parametrize("absorber", ["thin", "deep"])
def test_the_slope_rises_from_that_in_the_dark_to_one(absorber):
    chip = SaturableAbsorber(1, 400, seed=0, absorber=absorber, **QUIET)
    chip.program(torch.linspace(-1, 1000, 400)[None, :, None])
    slope = chip.oracle(torch.ones(1, 1, 1)).slope[0, 0]
    assert slope[0] == 0 and (slope < 1 + 1e-5).all() and slope[-1] > 0.99
    chip.program(torch.full((1, 400, 1), 1e-6))
    assert chip.oracle(torch.ones(1, 1, 1)).slope[0, 0, 0].item() == pytest.approx(math.exp(-2), rel=1e-4)


@pytest.mark.parametrize("absorber", ["thin", "deep"])
def test_only_the_ratio_of_powers_matters(absorber):
    a = [0.1, 1.0, 4.0]
    once = _answers(a, absorber=absorber, unit_watts=2e-3, saturation_watts=5e-3)
    again = _answers(a, absorber=absorber, unit_watts=2e-6, saturation_watts=5e-6)
    assert torch.allclose(once, again, rtol=1e-5)
    wanted = torch.tensor(a) * 0.4
    by_hand = wanted * torch.exp(-2 / (1 + wanted)) if absorber == "thin" else bleached(wanted, 2.0)
    assert torch.allclose(once, by_hand / 0.4, rtol=1e-5)


def test_depths_are_spread_as_told():
    n = 4000
    chip = SaturableAbsorber(1, n, seed=0, **QUIET | dict(absorption_spread=0.1))
    chip.program(torch.full((1, n, 1), 1.0))
    depths = -2 * chip(torch.ones(1, 1, 1))[0, 0].log()  # y = exp(-c a_0 / 2)
    spread = (depths / 2).log().std()
    assert abs(spread - 0.1) < 4 * 0.1 / (2 * n) ** 0.5
    assert abs((depths / 2).log().mean()) < 4 * 0.1 / n**0.5


def test_the_printed_curve_is_that_of_a_chip_without_spread():
    a = [-1.0, 0.2, 1.0, 3.0]
    neuron = SaturableAbsorber(1, 4, seed=0).datasheet.neuron
    assert torch.allclose(neuron(torch.tensor(a)), _answers(a), atol=1e-6)
