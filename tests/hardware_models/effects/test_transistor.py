"""Transistors: both limits of the current, the swing, the size of mismatch, and an inverter against a root finder."""

import numpy as np
import pytest
import torch

from hardware_models.effects import transistor
from tests.helpers.neurons import PER_KELVIN, VOLTS, balance


def t(*values):
    return torch.tensor(values if len(values) > 1 else values[0], dtype=torch.float64)


def test_the_current_is_exponential_far_below_and_square_far_above():
    assert torch.allclose(transistor.inversion(t(-40.0, -30.0)), t(-40.0, -30.0).exp(), rtol=1e-6, atol=0)
    assert torch.allclose(transistor.inversion(t(60.0, 200.0)), t(30.0, 100.0).square(), rtol=1e-9)
    assert transistor.inversion(t(0.0)).item() == pytest.approx(0.4804530, rel=1e-6)  # ln(2)^2, moderate inversion


@pytest.mark.parametrize("n, kelvin", [(1.0, 300.0), (1.4, 300.0), (1.4, 400.0)])
def test_a_decade_below_threshold_takes_60_millivolts_at_room_temperature_times_n(n, kelvin):
    at = t(-1.0, -1.0 + 1e-3)
    log = transistor.saturated_current(at, t(n), t(kelvin)).log10()
    swing = 1e-3 / (log[1] - log[0]).item()
    assert swing == pytest.approx(59.53e-3 * n * kelvin / 300, rel=1e-3)


def test_the_difference_of_two_thresholds_falls_with_the_root_of_the_area():
    one = transistor.threshold_spread(t(3.5e-9), t(1e-6), t(1e-6)).item()
    assert one * 2**0.5 == pytest.approx(3.5e-3)
    sizes = t(1e-7, 1e-6, 1e-5)
    spread = transistor.threshold_spread(t(3.5e-9), sizes, sizes)
    assert torch.allclose(spread * sizes, one * t(1e-6), rtol=1e-9, atol=0)


def inverted(v, dtype, vdd, tn, tp, n, lam, kelvin):
    numbers = [torch.tensor(x, dtype=dtype) for x in (vdd, tn, tp, n, lam, kelvin)]
    names = ("supply_volts", "threshold_n", "threshold_p", "slope_factor", "modulation_per_volt", "kelvin")
    return transistor.inverter(torch.as_tensor(v, dtype=dtype), **dict(zip(names, numbers, strict=True)))


@pytest.mark.parametrize("kelvin", [250.0, 400.0])
@pytest.mark.parametrize(
    "vdd, vt, lam", [(0.2, 0.3, 0.1), (0.2, 0.3, 0.0), (0.5, 0.3, 1.0), (1.0, 0.4, 0.1), (2, 0.4, 1)]
)
def test_an_inverter_is_where_both_currents_balance(vdd, vt, lam, kelvin):
    numbers = (vdd, vt, vt + 0.02, 1.3, lam, kelvin)
    v = np.linspace(-0.2 * vdd, 1.2 * vdd, 41)
    wanted = np.array([balance(x, *numbers) for x in v])
    assert np.abs(inverted(v, torch.float64, *numbers).numpy() - wanted).max() < 1e-9 * vdd
    assert np.abs(inverted(v, torch.float32, *numbers).numpy() - wanted).max() < 2e-6 * vdd


def test_the_slope_of_an_inverter_is_that_of_its_curve():
    numbers, h = (0.2, 0.3, 0.32, 1.3, 0.1, 300.0), 1e-6
    v = torch.linspace(-0.1, 0.3, 41, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(inverted(v, torch.float64, *numbers).sum(), v)
    measured = (inverted(v + h, torch.float64, *numbers) - inverted(v - h, torch.float64, *numbers)) / (2 * h)
    assert torch.allclose(slope, measured, atol=1e-6)


@pytest.mark.parametrize("vdd", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("n, kelvin", [(1.0, 300.0), (1.5, 350.0)])
def test_the_greatest_gain_below_threshold_is_the_published_one(vdd, n, kelvin):
    wanted = (np.exp(vdd / (2 * kelvin * PER_KELVIN)) - 1) / n
    h = 1e-6
    low, high = inverted([vdd / 2 - h, vdd / 2 + h], torch.float64, vdd, 1.0, 1.0, n, 0.0, kelvin)
    assert -(high - low).item() / (2 * h) == pytest.approx(wanted, rel=1e-3)


def test_far_outside_of_the_rails_it_stands_at_them():
    v = torch.tensor([-50.0, -1.0, 1.2, 50.0], requires_grad=True)
    out = inverted(v, torch.float32, 0.2, 0.3, 0.3, 1.3, 0.1, 300.0)
    assert torch.allclose(out, torch.tensor([0.2, 0.2, 0.0, 0.0]), atol=1e-6)
    (slope,) = torch.autograd.grad(out.sum(), v)
    assert torch.allclose(slope, torch.zeros(4), atol=1e-6)


def test_room_temperature_is_26_millivolts():
    assert VOLTS == pytest.approx(25.85e-3, rel=1e-3)
