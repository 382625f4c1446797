"""Square-law detectors: current, compression and both noises, in amperes."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from hardware_models.photonics.photodetector import Photodetector

CHARGE, BOLTZMANN = 1.602176634e-19, 1.380649e-23
UNIT = 10e-6
QUIET = dict(program_noise=0.0, adc_bits=0, dac_bits=0, responsivity_spread=0.0, bandwidth_hertz=0.0)
READS = 20_000
COLD = 1e-6


def _chip(a, **parameters):
    chip = Photodetector(1, len(a), seed=0, **QUIET | parameters)
    chip.program(torch.tensor(a)[None, :, None])
    return chip


def _amperes(chip, reads=1):
    return chip(torch.ones(1, reads, 1))[0].detach().double() * UNIT


def test_the_current_is_responsivity_times_power_and_the_dark_current():
    a = [-2.0, -1.0, 0.0, 0.5, 2.0]
    seen = _amperes(_chip(a, responsivity_ampere_per_watt=0.8, dark_amperes=2e-7, saturation_amperes=1e6))[0]
    wanted = [0.8 * 10e-6 * x**2 + 2e-7 for x in a]
    assert seen.tolist() == pytest.approx(wanted, rel=1e-5)


def test_half_of_the_response_is_left_where_the_light_makes_the_saturation_current():
    seen = _amperes(_chip([1.0, 2.0], saturation_amperes=UNIT, dark_amperes=0.0))[0]
    assert seen.tolist() == pytest.approx([UNIT / 2, UNIT * 4 / 5], rel=1e-5)


def test_the_slope_has_the_sign_of_the_sum():
    chip = _chip([-1.0, 0.0, 2.0], saturation_amperes=1e6)
    assert chip.oracle(torch.ones(1, 1, 1)).slope[0, 0].tolist() == pytest.approx([-2, 0, 4], abs=1e-5)


def _variances(a, **parameters):
    """Return variances in square amperes, one for each sum."""
    chip = _chip(a, **parameters)
    return _amperes(chip, READS).var(0)


LIMITS = chi2.ppf([0.0005, 0.9995], READS - 1) / (READS - 1)


@pytest.mark.parametrize("hertz", [1e8, 2e9])
def test_shot_noise_has_the_variance_of_charges_that_come_one_by_one(hertz):
    """Without heat, below the readout's end, and above the level at which it would be cut at zero."""
    a = [0.7, 1.0, 1.4, 2.0]
    seen = _variances(a, bandwidth_hertz=hertz, temperature_kelvin=COLD, dark_amperes=0.0, saturation_amperes=1e6)
    for x, variance in zip(a, seen, strict=True):
        wanted = 2 * CHARGE * (UNIT * x**2) * hertz
        assert LIMITS[0] < variance / wanted < LIMITS[1]


def test_the_variance_is_a_line_in_the_current_with_twice_the_charge_as_its_slope():
    hertz, a = 1e9, [0.8, 1.0, 1.2, 1.5, 1.8, 2.1, 2.4]
    seen = _variances(a, bandwidth_hertz=hertz, dark_amperes=0.0, saturation_amperes=1e6)
    current = UNIT * np.square(a)
    heat = 4 * BOLTZMANN * 300 / 1e3 * hertz
    error = (2 / READS) ** 0.5 * (2 * CHARGE * hertz * current + heat)
    (slope, start), covariance = np.polyfit(current, seen.numpy(), 1, w=1 / error, cov="unscaled")
    assert abs(slope - 2 * CHARGE * hertz) < 4 * covariance[0, 0] ** 0.5
    assert abs(start - heat) < 4 * covariance[1, 1] ** 0.5
    assert covariance[0, 0] ** 0.5 < 0.05 * slope  # and so says something


@pytest.mark.parametrize("kelvin, ohm", [(300.0, 50.0), (77.0, 1e3)])
def test_a_load_has_the_noise_of_johnson_and_nyquist(kelvin, ohm):
    """Where there is a dark current to keep it above zero, the noise of which is known."""
    hertz, dark = 1e8, 2e-6
    seen = _variances([0.0], bandwidth_hertz=hertz, temperature_kelvin=kelvin, load_ohm=ohm, dark_amperes=dark)
    wanted = 4 * BOLTZMANN * kelvin / ohm * hertz + 2 * CHARGE * dark * hertz
    assert LIMITS[0] < seen[0] / wanted < LIMITS[1]


def test_the_datasheet_prints_the_noise_at_an_output_of_one():
    wanted = math.sqrt((2 * CHARGE * UNIT + 4 * BOLTZMANN * 300 / 1e3) * 1e9) / UNIT
    assert Photodetector(4, 2, seed=0).datasheet.read_noise == pytest.approx(wanted, rel=1e-5)
    assert Photodetector(4, 2, seed=0, read_noise=0.1).datasheet.read_noise == pytest.approx(math.hypot(wanted, 0.1))
    each = Photodetector(4, 2, seed=[0, 1], bandwidth_hertz=torch.tensor([1e9, 4e9])).datasheet.read_noise
    assert each.tolist() == pytest.approx([wanted, 2 * wanted], rel=1e-5)


def test_responsivities_are_spread_as_told():
    n = 4000
    chip = _chip([1.0] * n, responsivity_spread=0.1, saturation_amperes=1e6, dark_amperes=0.0)
    spread = (_amperes(chip)[0] / UNIT).log().std()
    assert abs(spread - 0.1) < 4 * 0.1 / (2 * n) ** 0.5
