"""Diodes: Shockley's law and Lambert's function, and what heat does."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import lambertw, wrightomega

from hardware_models.effects import junction
from tests.helpers.neurons import PER_KELVIN, VOLTS


def through(v, saturation=1e-14, n=1.0, ohm=5e3, kelvin=300.0, dtype=torch.float64):
    return junction.diode_current(*(torch.as_tensor(x, dtype=dtype) for x in (v, saturation, n, ohm, kelvin)))


@pytest.mark.parametrize(
    "saturation, n, ohm", [(1e-14, 1.0, 5e3), (1e-9, 2.0, 1e3), (1e-6, 1.5, 1e6), (1e-12, 1.0, 1.0)]
)
def test_with_a_resistance_it_is_lambert_s_function(saturation, n, ohm):
    v, scale = np.linspace(-0.3, 0.8, 111), n * VOLTS
    k = saturation * ohm / scale
    wanted = scale / ohm * wrightomega(np.log(k) + v / scale + k) - saturation
    assert np.allclose(through(v, saturation, n, ohm).numpy(), wanted, rtol=1e-9, atol=1e-9 * saturation)
    below = v < 0.5  # where the exponential is a number
    argument = k * np.exp(v[below] / scale + k)
    direct = scale / ohm * lambertw(argument).real - saturation
    assert np.allclose(through(v[below], saturation, n, ohm).numpy(), direct, rtol=1e-8, atol=1e-9 * saturation)
    single = through(v, saturation, n, ohm, dtype=torch.float32).double().numpy()
    assert np.allclose(single, wanted, rtol=3e-5, atol=1e-5 * saturation)


def test_without_one_it_is_shockley_s_law():
    v = np.linspace(-0.3, 0.7, 101)
    assert np.allclose(through(v, ohm=0.0).numpy(), 1e-14 * np.expm1(v / VOLTS), rtol=1e-9)


def test_a_large_voltage_sees_the_resistance_alone():
    current = through(np.array([2.0, 2.001]))
    assert ((current[1] - current[0]) / 1e-3).item() == pytest.approx(1 / 5e3, rel=0.02)


def test_a_decade_takes_60_millivolts():
    low, high = through(np.array([0.4, 0.4 + VOLTS * np.log(10)]), ohm=0.0)
    assert (high / low).item() == pytest.approx(10, rel=1e-5)


def test_the_slope_is_that_of_the_curve():
    v = torch.linspace(-0.2, 1.0, 61, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(through(v).sum(), v)
    h = 1e-6
    measured = (through(v + h) - through(v - h)) / (2 * h)
    assert torch.allclose(slope, measured, rtol=1e-5, atol=1e-15)


def test_a_silicon_diode_falls_by_two_millivolts_a_kelvin():
    def voltage(kelvin):
        saturation = 1e-14 * junction.saturation_growth(torch.tensor(kelvin).double(), torch.tensor(1.0)).item()
        return brentq(lambda v: through(v, saturation, ohm=0.0, kelvin=kelvin).item() - 1e-6, 0.0, 1.0, xtol=1e-12)

    per_kelvin = (voltage(305.0) - voltage(295.0)) / 10
    expected = (voltage(300.0) - 1.12 - 3 * VOLTS) / 300  # the textbook's derivative of U_T ln(I / I_S)
    assert -2.6e-3 < per_kelvin < -2e-3 and per_kelvin == pytest.approx(expected, rel=1e-3)


def test_its_saturation_current_doubles_in_less_than_ten_kelvin():
    growth = junction.saturation_growth(torch.tensor([300.0, 310.0]), torch.tensor(1.0))
    assert growth[0] == 1 and 2 < growth[1] < 5
    by_hand = (310 / 300) ** 3 * np.exp(1.12 / PER_KELVIN * (1 / 300 - 1 / 310))
    assert growth[1].item() == pytest.approx(by_hand, rel=1e-4)
