"""What time, temperature and use do: laws against their limits, statistics against their intervals, spectra as slopes."""

import math

import numpy as np
import pytest
import scipy.constants
import scipy.integrate
import torch
from scipy.stats import chi2

from hardware_models import kernels
from hardware_models.effects import drift, endurance, retention, telegraph, temperature
from hardware_models.effects.pairs import pair
from hardware_models.kernels.streams import Stream

SEEDS = torch.tensor([5, 6])


def t(*values):
    return torch.tensor(values, dtype=torch.float64)


def read_telegraph(first, rows, columns=400, length=16, occupancy=0.3):
    phase = kernels.uniform(SEEDS, 0, 1, columns, Stream.TELEGRAPH_PHASE)
    row, count = telegraph.block_rows(first, rows, length)
    drawn = kernels.uniform(SEEDS, row, count, columns, Stream.TELEGRAPH)
    return telegraph.telegraph(drawn, first, rows, length, phase, torch.tensor(occupancy))


def read_flicker(first, rows, columns=64, octaves=12, traps=False):
    phase = kernels.uniform(SEEDS, 0, octaves, columns, Stream.FLICKER_PHASE)
    draw = (lambda *at: (kernels.uniform(*at) < 0.5) * 2.0 - 1) if traps else kernels.normal
    rows_of = telegraph.octave_rows(first, rows, octaves)
    draws = [draw(SEEDS, row, count, columns, Stream.FLICKER) for row, count in rows_of]
    return telegraph.flicker(draws, first, rows, phase)


@pytest.mark.parametrize("read", [read_telegraph, read_flicker])
@pytest.mark.parametrize("first", [(0, 0), (7, 1000), (2**35 + 3, 12345)])
def test_noise_is_a_function_of_the_number_of_the_read(read, first):
    first = torch.tensor(first)
    whole = read(first, 50)
    for cut in (1, 17, 33):
        assert torch.equal(torch.cat([read(first, cut), read(first + cut, 50 - cut)], 1), whole)


def test_each_chip_has_noise_of_its_own_wherever_its_neighbor_is():
    one, other = read_telegraph(torch.tensor([0, 90]), 20), read_telegraph(torch.tensor([0, 5]), 20)
    assert torch.equal(one[0], other[0]) and not torch.equal(one[0], one[1])


@pytest.mark.slow
def test_telegraph_noise_has_two_levels_and_is_up_its_share_of_the_time():
    p, blocks, columns = 0.3, 2000, 400
    y = read_telegraph(torch.zeros(2, dtype=torch.int64), blocks * 16)
    assert y.unique().tolist() == pytest.approx([-p, 1 - p])
    error = math.sqrt(p * (1 - p) / (2 * blocks * columns))
    assert abs(y.mean()) < 3.3 * error
    assert y.double().var() == pytest.approx(p * (1 - p), rel=0.01)


@pytest.mark.slow
def test_its_correlation_falls_linearly_over_a_block():
    length, reads = 16, 16 * 2000
    y = read_telegraph(torch.zeros(2, dtype=torch.int64), reads, occupancy=0.5).double()
    for lag in (1, 4, 8, 15, 16, 40):
        found = (y[:, lag:] * y[:, :-lag]).mean((0, 1)) / 0.25  # one number a column
        error = found.std() / math.sqrt(len(found))
        assert abs(found.mean() - max(1 - lag / length, 0)) < 4 * error < 0.01


def test_times_between_changes_are_whole_blocks_of_geometric_law():
    length, p = 16, 0.5
    y = read_telegraph(torch.zeros(2, dtype=torch.int64), 16 * 500, columns=100, occupancy=p)
    gaps = [np.diff(np.flatnonzero(np.diff(column))) for chip in y.numpy() for column in chip.T]
    gaps = np.concatenate(gaps)
    assert (gaps % length == 0).all()
    blocks = gaps / length  # geometric with success 1/2: mean 2, variance 2
    assert abs(blocks.mean() - 2) < 4 * math.sqrt(2 / len(blocks))
    assert (blocks == 1).mean() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(len(blocks)))


@pytest.mark.parametrize("traps", [False, True])
def test_the_spectrum_of_the_sum_over_octaves_falls_as_one_over_f(traps):
    octaves, reads, columns = 14, 2**14, 64
    y = read_flicker(torch.zeros(2, dtype=torch.int64), reads, columns, octaves, traps).double().numpy()
    power = np.abs(np.fft.rfft(y, axis=1)) ** 2 * 2 / reads  # one-sided, per cycle a read
    f = np.fft.rfftfreq(reads)
    edges = 2.0 ** np.arange(-11, -5)
    bands = [(f >= low) & (f < 2 * low) for low in edges]
    level = np.array([power[:, band].mean() for band in bands])
    center = np.array([1 / (1 / f[band]).mean() for band in bands])
    slope = np.polyfit(np.log(center), np.log(level), 1)[0]
    assert slope == pytest.approx(-1, abs=0.04)
    np.testing.assert_allclose(level, 1 / (octaves * center * math.log(2)), rtol=0.1)


def test_the_spectrum_is_that_of_the_blocks():
    """Exactly: the sum over octaves of the spectra of blocks, within the interval of a mean of periodograms."""
    octaves, reads, columns = 8, 2**12, 400
    y = read_flicker(torch.zeros(2, dtype=torch.int64), reads, columns, octaves).double().numpy()
    power = np.abs(np.fft.rfft(y, axis=1)) ** 2 / reads
    f = np.fft.rfftfreq(reads)
    inside = slice(reads // 2**octaves * 2, reads // 2)  # where leakage from below does not matter
    blocks = 2.0 ** np.arange(octaves)[:, None]
    expected = ((np.sin(np.pi * f[inside] * blocks) / np.sin(np.pi * f[inside])) ** 2 / blocks).mean(0)
    ratio = power.mean((0, 2))[inside] / expected
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / math.sqrt(ratio.size) + 2 / reads * 2**octaves


def test_one_over_f_noise_has_variance_one_over_its_whole_span():
    reads, columns = 64, 4000
    y = read_flicker(torch.tensor([0, 77]), reads, columns)[:, 0].double()
    n = y.numel()
    low, high = chi2.ppf([5e-4, 1 - 5e-4], n) / n
    assert low < y.square().mean() < high


def test_constants_of_nature():
    assert temperature.BOLTZMANN == scipy.constants.k and temperature.CHARGE == scipy.constants.e
    assert temperature.thermal_voltage(t(300.0)).item() == pytest.approx(25.852e-3, rel=1e-4)


def test_a_thermally_activated_conductance_is_a_line_over_the_inverse_temperature():
    kelvin = t(*np.linspace(250, 400, 7))
    g = temperature.arrhenius(kelvin, t(0.3))
    slope = g.log().diff() / (1 / kelvin).diff()
    assert torch.allclose(slope, -0.3 * scipy.constants.e / scipy.constants.k * torch.ones(6, dtype=torch.float64))
    assert temperature.arrhenius(t(300.0), t(0.3)) == 1
    assert (temperature.arrhenius(kelvin, t(0.0)) == 1).all()
    assert temperature.arrhenius(t(310.0), t(-0.1)) < 1 < temperature.arrhenius(t(310.0), t(0.1))


def test_thermal_and_shot_noise_have_their_textbook_values_and_grow_as_roots():
    johnson = temperature.thermal_noise(t(1e-3), t(300.0), t(1.0)).item()  # 1 kOhm: 4.07 nV/rtHz
    assert johnson * 1e3 == pytest.approx(4.07e-9, rel=1e-3)
    assert temperature.shot_noise(t(1e-3), t(1.0)).item() == pytest.approx(
        17.9e-12, rel=1e-3, abs=0
    )  # 17.9 pA/rtHz a mA
    fourfold = t(1.0, 4.0)
    for noise in (
        temperature.thermal_noise(1e-6 * fourfold, t(300.0), t(1e6)),
        temperature.thermal_noise(t(1e-6), 300 * fourfold, t(1e6)),
        temperature.thermal_noise(t(1e-6), t(300.0), 1e6 * fourfold),
        temperature.shot_noise(-1e-6 * fourfold, t(1e6)),
        temperature.shot_noise(t(1e-6), 1e6 * fourfold),
    ):
        assert noise[1] / noise[0] == pytest.approx(2)
    single = temperature.thermal_noise(torch.tensor(1e-6), torch.tensor(300.0), torch.tensor(1e6))
    assert single.item() == pytest.approx(math.sqrt(4 * scipy.constants.k * 300), rel=1e-5)  # no underflow


def test_a_conductor_at_the_voltage_where_both_are_equal():
    """Shot noise of a current equals thermal noise of its conductance where the voltage is 2 k T / q."""
    g, kelvin = t(2e-6), t(300.0)
    current = g * 2 * temperature.thermal_voltage(kelvin)
    shot, thermal = temperature.shot_noise(current, t(1e6)), temperature.thermal_noise(g, kelvin, t(1e6))
    torch.testing.assert_close(shot, thermal, rtol=1e-12, atol=0)


def test_a_leak_has_no_memory_and_solves_its_circuit():
    v, rest, tau = t(0.8, -0.5), t(0.1), t(3.0)
    pieces = v
    for seconds in (0.5, 1.0, 2.5):
        pieces = retention.leaked(pieces, rest, t(seconds), tau)
    assert torch.allclose(pieces, retention.leaked(v, rest, t(4.0), tau))
    assert torch.allclose(retention.leaked(v, rest, tau, tau) - rest, (v - rest) / math.e)
    solved = scipy.integrate.solve_ivp(lambda _, y: (0.1 - y) / 3, (0, 4), v.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(pieces, solved.y[:, -1], rtol=1e-6)


def test_a_range_closes_by_equal_steps_a_decade_and_not_before_its_first_cycle():
    cycles = t(0.0, 1.0, 1e6, 1e7, 1e8, 1e9, 1e12)
    left = endurance.window(cycles)
    assert left.tolist() == pytest.approx([1, 1, 1, 2 / 3, 1 / 3, 0, 0], abs=1e-6)
    assert endurance.window(t(1e4), 1e3, 1e5).item() == pytest.approx(0.5)


def drifting(seconds):
    """Weights of two chips, fresh and after a time, with exponents of their own for columns and cells."""
    fresh = kernels.normal(SEEDS, 0, 7, 200, 1).double()
    of_columns = 0.05 + 0.02 * torch.arange(7.0)[:, None]
    nu = of_columns + 0.01 * kernels.normal(SEEDS, 0, 7, 200, 2)
    return fresh, drift.drifted(fresh, nu, torch.tensor(seconds))


def test_a_factor_a_column_undoes_a_drift_common_to_its_cells_and_is_the_best_one():
    fresh, now = drifting(1e6)
    common = fresh * torch.linspace(0.3, 0.9, 7)[:, None]
    assert torch.allclose(drift.column_compensation(pair(fresh), pair(common)) * common, fresh)
    alpha = drift.column_compensation(pair(fresh), pair(now))
    assert alpha.shape == (2, 7, 1)

    def left(factor):
        return (fresh - factor * now).square().sum(2)

    assert (left(alpha) < left(alpha * 1.001)).all() and (left(alpha) < left(alpha * 0.999)).all()
    assert (left(alpha) <= left(drift.compensation(pair(fresh), pair(now)))).all()
    assert left(alpha).sum() < 0.1 * left(drift.compensation(pair(fresh), pair(now))).sum()  # where columns differ


def test_nothing_to_compensate_is_left_alone():
    fresh, now = drifting(0.0)
    assert torch.allclose(drift.column_compensation(pair(fresh), pair(now)), torch.ones(2, 7, 1, dtype=torch.float64))
    for factor in (drift.column_compensation, drift.compensation):
        assert (factor(pair(fresh * 0), pair(fresh * 0)) == 1).all()


@pytest.mark.parametrize("factor", [drift.column_compensation, drift.compensation])
@pytest.mark.parametrize(
    "plus, minus", [((0.5, 0.4), (0.5, 0.3)), ((0.501, 0.3), (0.5, 0.4)), ((0.5, 0.4), (0.3, 0.4))]
)
def test_where_cells_cancel_on_either_side_of_a_quotient_nothing_is_compensated(factor, plus, minus):
    """Fresh and present conductances of the two cells of one pair: quotients of 0, -0.01 and infinity."""
    fresh, now = (torch.tensor([[[a], [b]]]) for a, b in zip(plus, minus, strict=True))
    assert factor(fresh, now).item() == 1
    strong = torch.tensor([[[0.8], [0.1]]])
    assert factor(strong, strong * 0.5).item() == pytest.approx(2)


def test_balanced_columns_cannot_be_read_with_all_inputs_on():
    balanced = torch.tensor([1.0, -1.0]).repeat(50) * torch.ones(1, 7, 1)
    now = balanced * (0.8 + 0.05 * kernels.normal(SEEDS[:1], 0, 7, 100, 2))
    assert drift.compensation(pair(balanced), pair(now)).item() == 1
    assert drift.column_compensation(pair(balanced), pair(now)).mean().item() == pytest.approx(1 / 0.8, rel=0.02)
