"""IR drop against the exact solution of the network, and coupling of neighboring columns."""

import math

import numpy as np
import pytest
import torch

from analogff.device import product
from hardware_models import kernels
from hardware_models.effects import crosstalk, nodal, wires

SIZE = 32
SEED = torch.tensor([0])


def array(n_out=SIZE, n_in=SIZE, batch=3, seed=0, g_max=40e-6):
    generator = np.random.default_rng(seed)
    return generator.uniform(0, g_max, (n_out, n_in)), generator.uniform(0, 0.2, (batch, n_in))


def fast(conductance, volts, ohm):
    chip = torch.from_numpy(conductance)[None], torch.from_numpy(volts)[None]
    return wires.currents(*chip, torch.tensor(ohm, dtype=torch.float64))[0].numpy()


def greatest_drop(conductance, ohm):
    return wires.relative_drop(torch.from_numpy(conductance)[None], torch.tensor(ohm)).max().item()


def test_one_cell_is_three_resistors_in_a_row():
    g, ohm = 20e-6, 1e4
    exact = nodal.currents(np.array([[g]]), np.array([[0.2]]), ohm)
    assert exact.item() == pytest.approx(0.2 / (1 / g + 2 * ohm), rel=1e-12)
    assert fast(np.array([[g]]), np.array([[0.2]]), ohm).item() == pytest.approx(exact.item(), rel=1e-12)


def test_a_row_of_cells_without_load_is_a_ladder():
    """Two outputs, one input, solved by hand as a ladder from its far end."""
    (a, b), ohm = (30e-6, 10e-6), 5e3
    far = ohm + 1 / b + ohm
    near = 1 / a + ohm
    node = 1 / (1 / far + 1 / near)
    volts = 0.2 * node / (node + ohm)
    exact = nodal.currents(np.array([[a], [b]]), np.array([[0.2]]), ohm)[0]
    np.testing.assert_allclose(exact, [volts / near, volts / far], rtol=1e-12)


@pytest.mark.parametrize("solve", [nodal.currents, fast])
def test_swapping_drivers_and_sensors_transposes_what_the_array_computes(solve):
    """Reciprocity of a network of resistors: driving the bit lines and sensing the word lines."""
    conductance, _ = array(5, 7)
    forward = solve(conductance, np.eye(7), 900.0)
    turned = np.ascontiguousarray(conductance[::-1, ::-1].T)
    np.testing.assert_allclose(solve(turned, np.eye(5), 900.0), forward[::-1, ::-1].T, rtol=1e-9)


def test_the_drop_counts_the_wire_that_cells_share():
    conductance, _ = array(4, 6)
    x = wires.relative_drop(torch.from_numpy(conductance)[None], torch.tensor(2.0))[0].numpy()
    for j in range(4):
        for i in range(6):
            word = sum((min(j, k) + 1) * conductance[k, i] for k in range(4))
            bit = sum((6 - max(i, m)) * conductance[j, m] for m in range(6))
            assert x[j, i] == pytest.approx(2 * (word + bit), rel=1e-12)


def test_without_resistance_it_is_the_exact_product():
    conductance, volts = array()
    chip = torch.from_numpy(conductance).float()[None], torch.from_numpy(volts).float()[None]
    assert torch.equal(wires.currents(*chip, torch.zeros(1, 1, 1)), product(chip[1], chip[0]))
    assert np.array_equal(nodal.currents(conductance, volts, 0.0), volts @ conductance.T)
    weights = kernels.normal(SEED, 0, 7, 13, 1)
    assert torch.equal(wires.wired(weights, torch.zeros(1, 1, 1), torch.tensor(1e-5)), weights)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_error_is_of_second_order_in_the_resistance(seed):
    conductance, volts = array(seed=seed)
    ohms = np.array([0.02, 0.06, 0.2, 0.6])
    errors = [np.abs(fast(conductance, volts, r) - nodal.currents(conductance, volts, r)).max() for r in ohms]
    slope = np.polyfit(np.log(ohms), np.log(errors), 1)[0]
    assert slope == pytest.approx(2, abs=0.05)


def test_the_loss_itself_is_of_first_order_and_the_right_one():
    conductance, volts = array()
    lost, exact = (volts @ conductance.T - solve(conductance, volts, 0.01) for solve in (fast, nodal.currents))
    np.testing.assert_allclose(lost, exact, rtol=1e-3)


@pytest.mark.parametrize(("ohm", "drop", "limit"), [(10.0, 0.25, 3e-3), (35.0, 0.9, 2e-2)])
def test_it_is_as_good_as_documented_up_to_its_limit(ohm, drop, limit):
    for seed in range(5):
        conductance, volts = array(seed=seed)
        exact = nodal.currents(conductance, volts, ohm)
        assert greatest_drop(conductance, ohm) == pytest.approx(drop, rel=0.1)
        error = np.abs(fast(conductance, volts, ohm) - exact).max() / exact.max()
        assert limit / 2 < error < limit


def test_no_current_turns_round_beyond_it():
    conductance, volts = array()
    assert (fast(conductance, volts, 1e4) > 0).all()


def test_signed_weights_are_pairs_of_neighboring_bit_lines():
    weights, siemens, ohm = torch.randn(9, 12, generator=torch.Generator().manual_seed(0)).double(), 10e-6, 3.0
    cells = np.zeros((18, 12))
    cells[0::2], cells[1::2] = weights.clamp(min=0), (-weights).clamp(min=0)
    volts = np.random.default_rng(0).uniform(0, 0.2, (3, 12))
    through = nodal.currents(cells * siemens, volts, ohm) / siemens
    acts = wires.wired(weights[None], torch.tensor(ohm), torch.tensor(siemens))[0].numpy()
    exact = through[:, 0::2] - through[:, 1::2]
    plain = volts @ weights.numpy().T
    assert np.abs(volts @ acts.T - exact).max() < 0.01 * np.abs(plain - exact).max()


def test_each_chip_has_its_own_wires():
    weights = kernels.normal(torch.tensor([3, 1]), 0, 7, 13, 1)
    ohm, siemens = torch.tensor([0.0, 500.0]).reshape(2, 1, 1), torch.full((2, 1, 1), 1e-5)
    both = wires.wired(weights, ohm, siemens)
    assert torch.equal(both[0], weights[0]) and (both[1].abs() < weights[1].abs()).all()
    assert torch.equal(both[1:], wires.wired(weights[1:], ohm[1:], siemens[1:]))


def test_a_column_shows_in_both_its_neighbors():
    lit = torch.eye(4)[None]
    expected = torch.eye(4) + 0.1 * (torch.eye(4).roll(1, 1).triu() + torch.eye(4).roll(-1, 1).tril())
    assert torch.allclose(crosstalk.mix(lit, torch.tensor(0.1)), expected)
    assert torch.equal(crosstalk.mix(lit, torch.tensor(0.0)), lit) and torch.equal(lit[0], torch.eye(4))


@pytest.mark.parametrize("c", [0.01, 0.2])
def test_modes_along_the_columns_are_stretched_as_the_tridiagonal_matrix_says(c):
    n = 16
    j = torch.arange(1, n + 1, dtype=torch.float64)
    modes = torch.sin(j[:, None] * j * math.pi / (n + 1))[None]
    stretched = (1 + 2 * c * torch.cos(j * math.pi / (n + 1)))[:, None] * modes
    torch.testing.assert_close(crosstalk.mix(modes, torch.tensor(c, dtype=torch.float64)), stretched)


def test_columns_that_do_not_correlate_gain_the_power_of_their_neighbors():
    n, rows, c = 8, 50_000, 0.2
    mixed = crosstalk.mix(kernels.normal(SEED, 0, rows, n, 1), torch.tensor(c)).double()
    power = mixed.square().sum(2) / n  # of each row
    expected, error = 1 + 2 * c**2 * (n - 1) / n, power.std() / math.sqrt(rows)
    assert abs(power.mean() - expected) < 3.3 * error and 3.3 * error < 0.01
