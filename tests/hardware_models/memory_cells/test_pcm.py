"""Phase-change cells against the published formulas, written here again."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2, foldnorm, ks_2samp, norm

from analogff.device import ContractError
from hardware_models.memory_cells.pcm import PCM

CONDUCTANCES = [0.1, 0.3, 0.5, 0.7, 0.95]
SECONDS = [1.0, 60.0, 3600.0, 86400.0, 2.6e6]
N_IN, N_OUT = 100, 200
STILL = dict(program_noise=0.0, read_noise=0.0, adc_bits=0, dac_bits=0)


def _nu(g):
    mu = np.clip(-0.0155 * np.log(g) + 0.0244, 0.049, 0.1)
    return mu, np.clip(-0.0125 * np.log(g) - 0.0059, 0.008, 0.045)


def _flicker(g, t):
    return min(0.0088 / g**0.65, 0.2) * math.sqrt(math.log((t + 250e-9) / (2 * 250e-9)))


def _programmed(g, **parameters):
    chip = PCM(N_IN, N_OUT, seed=0, **dict(bounds_spread=0.0) | parameters)
    chip.program(torch.full_like(chip.weights, g * chip.unit.item()))
    return chip


@pytest.mark.parametrize("g", CONDUCTANCES)
def test_programming_leaves_the_published_error(g):
    """As far as cells reach: an error that would take one beyond its greatest conductance ends there."""
    plus = _programmed(g).programmed[:, :N_OUT].double().numpy()
    sigma = (0.26348 + 1.9650 * g - 1.1731 * g**2) / 25
    end = (1 - g) / sigma
    inside = norm.expect(lambda z: z**2, lb=-np.inf, ub=end) + end**2 * norm.sf(end)  # of a normal cut off at the end
    low, high = chi2.ppf([1e-4, 1 - 1e-4], plus.size)
    assert low < ((plus - g) ** 2).sum() / (sigma**2 * inside) < high
    assert (plus == 1).mean() == pytest.approx(norm.sf(end), abs=4 / plus.size**0.5)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("g", CONDUCTANCES)
def test_cells_drift_by_the_published_law(g, seconds):
    chip = _programmed(g, **STILL)
    chip.wait(seconds)
    decades = math.log((seconds + 20) / 20)
    nu = -np.log(chip.drifted[:, :N_OUT].double().numpy() / g) / decades
    mu, s = _nu(g)
    law = foldnorm(mu / s, scale=s)
    n = nu.size
    rounding = 1e-6 / decades
    assert abs(nu.mean() - law.mean()) < 4 * law.std() / math.sqrt(n) + rounding
    assert abs(nu.std() / law.std() - 1) < 4 / math.sqrt(2 * n) + 1e3 * rounding


def test_the_drift_of_a_cell_is_a_line_on_double_logarithmic_paper():
    chip = _programmed(0.5, **STILL)
    times, values, now = [30.0, 300.0, 3e3, 3e4, 3e5, 3e6], [], 0.0
    for t in times:
        chip.wait(t - now)
        now = t
        values.append(chip.drifted[0, :N_OUT].double().log().flatten().numpy())
    x = np.log((np.array(times) + 20) / 20)
    slopes, residuals = np.polyfit(x, np.stack(values), 1, full=True)[:2]
    assert residuals.max() < 1e-9
    mu, s = _nu(0.5)
    assert abs(slopes[0].mean() + mu) < 4 * s / math.sqrt(N_IN * N_OUT)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("g", CONDUCTANCES)
def test_cells_flicker_as_published(g, seconds):
    chip = _programmed(g, drift=0.0, **STILL)
    chip.wait(seconds)
    assert torch.allclose(chip.flicker[:, :N_OUT], torch.tensor(g * _flicker(g, seconds)), rtol=1e-4)
    assert (chip.flicker[:, N_OUT:] == 0).all()  # an empty cell is silent


def test_flicker_shows_in_the_reads_with_its_size():
    n, n_in, t = 20_000, 16, 3600.0
    chip = PCM(n_in, 1, seed=0, drift=0.0, **STILL)
    weights = torch.linspace(-0.9, 0.9, n_in)
    chip.program(weights.reshape(1, 1, -1) * chip.unit)
    chip.wait(t)
    x = torch.linspace(0.5, 2, n_in)
    middle = 4.0 - chip.weights[0, 0] @ x  # so that the range cuts nothing off
    y = chip(x.expand(1, n, n_in), middle).double()
    cells = [abs(w) * _flicker(abs(w), t) * v for w, v in zip(weights.tolist(), x.tolist(), strict=True)]
    wanted = chip.unit.item() ** 2 * sum(c * c for c in cells)
    low, high = chi2.ppf([1e-4, 1 - 1e-4], n - 1)
    assert low < y.var() * (n - 1) / wanted < high


def test_the_variances_of_both_cells_of_a_pair_add():
    """Both lit: one grown and then the other, as pulses of both signs do; programming leaves one of them empty."""
    chip = PCM(16, 5, seed=0, device_spread=0.0, cycle_spread=0.0, **STILL)
    chip.program(torch.zeros_like(chip.weights))
    for change in (0.5, -0.3):
        chip.pulse(torch.full_like(chip.weights, change * chip.unit.item()))
    chip.wait(3600.0)
    plus, minus = chip.flicker[:, :5], chip.flicker[:, 5:]
    assert plus.min() > 0 and minus.min() > 0
    torch.testing.assert_close(chip.variance, chip.unit**2 * (plus**2 + minus**2), rtol=1e-5, atol=0)


def _simulated(g, seconds, cells, random):
    """Simulate cells that are programmed, drift, and are read once, step by step with other random numbers."""
    xi, eta, zeta = random.standard_normal((3, cells))
    landed = np.clip(g + (0.26348 + 1.9650 * g - 1.1731 * g**2) / 25 * xi, 0, 1)
    lit = np.maximum(landed, 1e-9)  # an empty cell has no logarithm, and stays empty
    mu, s = _nu(lit)
    now = landed * ((seconds + 20) / 20) ** -np.abs(mu + s * eta)
    q = np.minimum(0.0088 / lit**0.65, 0.2)
    return now * (1 + q * math.sqrt(math.log((seconds + 250e-9) / (2 * 250e-9))) * zeta)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("g", CONDUCTANCES)
def test_reads_are_distributed_as_those_of_simulated_pairs(g, seconds):
    """One input line, so that each column reads one pair, whose other cell has its own error and noise."""
    columns, middle = 20_000, torch.tensor(3.0)  # so that the rectifier and its range cut nothing off
    chip = PCM(1, columns, seed=1, bounds_spread=0.0, read_noise=0.0, adc_bits=0, dac_bits=0)
    chip.program(torch.full_like(chip.weights, g * chip.unit.item()))
    chip.wait(seconds)
    ours = ((chip(torch.ones(1, 1, 1), middle) - middle).detach().double().flatten() / chip.unit.item()).numpy()
    random = np.random.default_rng(0)
    pairs = _simulated(g, seconds, columns, random) - _simulated(0.0, seconds, columns, random)
    assert ks_2samp(ours, pairs).pvalue > 1e-4
    assert abs(ours.mean() - pairs.mean()) < 4 * math.sqrt((ours.var() + pairs.var()) / columns)


def test_waiting_twice_is_waiting_once_for_longer():
    once, twice = _programmed(0.5), _programmed(0.5)
    once.wait(3000.0)
    twice.wait(1000.0)
    twice.wait(2000.0)
    assert torch.equal(once.weights, twice.weights) and torch.equal(once.variance, twice.variance)


def test_a_pulse_grows_one_cell_and_restarts_its_clock():
    chip = _programmed(0.3, **STILL, cycle_spread=0.0, device_spread=0.0)
    chip.wait(1e4)
    before, step = chip.drifted.clone(), 0.01 * chip.unit.item()
    change = torch.zeros_like(chip.weights)
    change[:, 0], change[:, 1] = 2 * step, -3 * step
    weights = chip.weights.clone()
    assert chip.pulse(change) == 5 * N_IN
    grown = chip.drifted - before
    assert torch.allclose(grown[:, 0], torch.tensor(0.02), atol=1e-6)
    assert torch.allclose(grown[:, N_OUT + 1], torch.tensor(0.03), atol=1e-6)
    assert torch.allclose(chip.weights - weights, change, atol=1e-6)
    fresh = chip.age_seconds == 0
    assert fresh[:, 0].all() and fresh[:, N_OUT + 1].all() and fresh.sum() == 2 * N_IN


@pytest.mark.parametrize("restart", ["pulse", "program"])
def test_what_a_pulse_does_to_the_drift_of_its_cell(restart):
    chip = _programmed(0.3, **STILL, cycle_spread=0.0, device_spread=0.0, restart=restart)
    normals = chip.drift_normals[0, :N_OUT].double().numpy()

    def left(g, seconds):
        mean, spread = _nu(g)
        return ((seconds + 20.0) / 20.0) ** -np.abs(mean + spread * normals)

    chip.wait(1e4)
    chip.pulse(torch.full_like(chip.weights, 0.01 * chip.unit.item()))
    chip.wait(1e4)
    if restart == "pulse":  # all that was there, and the step, drift from the start of the law
        written, age = 0.3 * left(0.3, 1e4) + 0.01, 1e4
    else:  # as one cell that was written larger, of twice the age
        written, age = 0.3 + 0.01 / left(0.3, 1e4), 2e4
    np.testing.assert_allclose(chip.drifted[0, :N_OUT].numpy(), written * left(written, age), rtol=1e-4)


def test_a_first_pulse_starts_the_drift_of_an_empty_cell():
    chip = _programmed(0.3, **STILL, cycle_spread=0.0, device_spread=0.0, restart="program")
    chip.wait(1e4)
    chip.pulse(torch.full_like(chip.weights, -0.01 * chip.unit.item()))
    empty = chip.programmed[:, N_OUT:]  # g- of weights that were positive
    assert torch.allclose(empty, torch.tensor(0.01), atol=1e-6) and (chip.age_seconds[:, N_OUT:] == 0).all()
    assert (chip.age_seconds[:, :N_OUT] == 1e4).all()


@pytest.mark.parametrize("pulses, share", [(1, norm.cdf(-1 / 0.6)), (2, norm.cdf(-(2**0.5) / 0.6))])
def test_a_step_is_normal_and_takes_some_cells_back_as_that_of_aihwkit(pulses, share):
    chip = _programmed(0.5, **STILL, cycle_spread=0.6)
    before = chip.drifted[:, :N_OUT].clone()
    chip.pulse(torch.full_like(chip.weights, pulses * chip.step.item() * chip.unit.item()))
    moved = chip.drifted[:, :N_OUT] - before
    back = (moved < 0).float().mean().item()
    assert back == pytest.approx(share, abs=4 * (share / moved.numel()) ** 0.5)
    assert round(norm.cdf(-1 / 0.6), 3) == 0.048 and round(norm.cdf(-(2**0.5) / 0.6), 3) == 0.009  # as the page says


def test_a_full_pair_is_refreshed_at_a_price_and_keeps_its_weight():
    chip = _programmed(0.0, **STILL, cycle_spread=0.0, device_spread=0.0, bounds_spread=0.0)
    ask = torch.full_like(chip.weights, 20 * 0.01 * chip.unit.item())
    spent = [chip.pulse(sign * ask).item() for sign in (1, -1, 1, -1, 1, -1, 1, -1, 1)]
    pairs, trains = N_IN * N_OUT, 20 * N_IN * N_OUT
    assert spent[:8] == [trains] * 8
    # the ninth train fills g+ to 1: two pulses empty the pair, and 20 steps rebuild its difference of 0.2
    assert pairs * (20 + 2 + 20) <= spent[8] <= pairs * (20 + 2 + 21)
    assert torch.allclose(chip.weights, ask, rtol=1e-4)
    assert torch.allclose(chip.drifted[:, :N_OUT], torch.tensor(0.2), rtol=1e-4)


def test_compensation_restores_the_mean_weight():
    def left(**parameters):
        chip = _programmed(0.5, **STILL, **parameters)
        chip.wait(1e6)
        return (chip.weights / (0.5 * chip.unit)).mean().item()

    mu, s = _nu(0.5)
    assert abs(left(compensation="global") - 1) < 1e-4
    assert abs(math.log(left()) + mu * math.log(1e6 / 20)) < 0.02  # second order: s^2 ln(t)^2 / 2 is 0.004
    assert s < 0.01


def _activated(g, kelvin):
    """Two conductors in series, of which one is activated, by their resistances."""
    factor = math.exp(0.2 / 8.617333e-5 * (1 / 300 - 1 / kelvin))
    return 1 / (1 + (1 / g - 1) / factor)


@pytest.mark.parametrize("kelvin", [260.0, 310.0, 350.0])
@pytest.mark.parametrize("g", CONDUCTANCES)
def test_warm_cells_conduct_as_an_amorphous_part_in_series_with_the_rest(g, kelvin):
    chip = _programmed(g, drift=0.0, temperature_kelvin=kelvin, **STILL)
    assert torch.allclose(chip.weights / chip.unit, torch.tensor(_activated(g, kelvin)), rtol=1e-5)
    chip.wait(3600.0)  # and its noise grows as it does
    sigma = chip.variance.sqrt() / chip.unit / (g * _flicker(g, 3600.0))
    assert torch.allclose(sigma, torch.tensor(_activated(g, kelvin) / g), rtol=1e-4)


def test_the_activation_energy_of_a_cell_is_its_share_of_that_of_the_amorphous_part():
    for g in (0.01, 0.3, 0.8):
        cold, warm = (_programmed(g, temperature_kelvin=k, **STILL).weights.mean().log().item() for k in (299.5, 300.5))
        energy = 8.617333e-5 * (warm - cold) / (1 / 299.5 - 1 / 300.5)
        assert energy == pytest.approx(0.2 * (1 - g), rel=5e-3)


def test_at_300_kelvin_nothing_changes_bit_by_bit():
    room, bank = PCM(13, 7, seed=3), PCM(13, 7, seed=[3, 3], temperature_kelvin=torch.tensor([300.0, 320.0]))
    for chip in (room, bank):
        chip.wait(1e4)
    assert torch.equal(room.weights[0], bank.weights[0]) and not torch.equal(room.weights[0], bank.weights[1])


def test_one_factor_undoes_what_warmth_does_on_average_and_one_a_column_more():
    def left(compensation):
        chip = PCM(100, 50, seed=0, compensation=compensation, temperature_kelvin=320.0, **STILL)
        chip.drift_normals[:, :10] = 4.0  # columns that drift faster
        chip.drift_normals[:, 50:60] = 4.0
        wanted = chip.weights.clone()
        chip.program(wanted)
        chip.wait(1e6)
        return (chip.weights - wanted).square().mean().item()

    nothing, one, each = map(left, ("none", "global", "column"))
    assert each < 0.9 * one < 0.5 * nothing


def test_a_factor_a_column_is_the_least_squares_of_its_weights():
    plain, chip = (PCM(100, 20, seed=0, compensation=c, **STILL) for c in ("none", "column"))
    fresh = plain.weights.clone()
    for device in (plain, chip):
        device.wait(1e6)
    for j in range(20):
        now = plain.weights[0, j].double().numpy()[:, None]
        alpha = np.linalg.lstsq(now, fresh[0, j].double().numpy(), rcond=None)[0].item()
        assert chip.factor[0, j].item() == pytest.approx(alpha, rel=1e-4)
    assert torch.allclose(chip.weights, chip.factor * plain.weights)
    assert torch.allclose(chip.variance, chip.factor.square() * plain.variance)


def test_another_compensation_is_refused():
    with pytest.raises(ContractError, match="Expected compensation to be one of none, global, column. Got True."):
        PCM(4, 2, seed=0, compensation=True)
