"""Step laws against pulses written out one by one, and every published cell against its own numbers."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom, chi2, foldnorm, norm

from hardware_models.array.presets import CAPACITOR, ECRAM, FLOATING_GATE, LINEAR, RERAM, SOFT_BOUNDS, TUNNELLING
from hardware_models.effects import write
from hardware_models.memory_cells.capacitor import Capacitor
from hardware_models.memory_cells.ecram import ECRAM as Electrochemical
from hardware_models.memory_cells.floating_gate import FloatingGate
from hardware_models.memory_cells.reram import ReRAM

CELLS = {
    **{name: (ReRAM, dict(preset=name), cell) for name, cell in RERAM.items()},
    **{name: (Electrochemical, dict(preset=name), cell) for name, cell in ECRAM.items()},
    "capacitor": (Capacitor, {}, CAPACITOR),
    "floating-gate": (FloatingGate, {}, FLOATING_GATE),
}
STATES = {
    "soft-bounds": 1000,
    "gong-2018": 1000,
    "om-2022": 21,
    "hfo2": 4,
    "idealised": 10_000,
    "constant-step": 10_000,
    "rpu": 1250,
    "exponential-step": 1500,
    "lithium": 1000,
    "metal-oxide": 7000,
    "capacitor": 400,
}
SIZE = (100, 200)
EVEN = dict(device_spread=0.0, bounds_spread=0.0, cycle_spread=0.0, asymmetry_spread=0.0, slope_spread=0.0, corrupt=0.0)
CONFIDENCE = [0.005, 0.995]


def make(name, size=(13, 7), **numbers):
    """Make a chip of a published cell, with those numbers replaced that its class takes."""
    model, preset, _ = CELLS[name]
    takes = model.__init__.__kwdefaults__
    return model(*size, seed=0, **preset, **{k: v for k, v in numbers.items() if k in takes})


@pytest.mark.parametrize("name", CELLS)
def test_the_greatest_change_that_is_printed_is_the_longest_train(name):
    chip = make(name, SIZE)
    most, step = chip.datasheet.change_max, chip.step * chip.unit
    assert most == pytest.approx(31 * step.item(), rel=1e-6)
    for size, pulses in ((most, 31), (most / 2, 15.5)):
        spent = chip.pulse(torch.full_like(chip.weights, size))
        # rounding at random: n draws of a half have a spread of sqrt(n) / 2
        assert abs(spent.item() - pulses * 20_000) < 4 * math.sqrt(20_000) / 2


@pytest.mark.parametrize("name", ["soft-bounds", "lithium", "capacitor"])
def test_a_perturbation_in_parts_that_fit_the_train_comes_back(name):
    """Steps shrink on the way to a bound, which leaves (c / unit)^2 units; the rest is the scatter of pulses."""
    chip, c = make(name, (784, 64)), 0.01
    before, signs = chip.weights.clone(), torch.randn(1, 64, 784, generator=torch.Generator().manual_seed(0)).sign()
    for move in (c, -2 * c, c):
        parts = math.ceil(abs(move) / chip.datasheet.change_max)
        for _ in range(parts):
            chip.pulse(move / parts * signs)
    left = ((chip.weights - before) * signs).double()
    error = left.std() / math.sqrt(left.numel())
    assert abs(left.mean()) < 4 * error + c**2 / chip.unit.item() < c / 8


def of_step(name, step):
    """Return the number that replaces a cell's step."""
    return {"step_volts": step} if name == "floating-gate" else {"step": step}


def drive(chip, pulses):
    """Give each cell so many pulses, however they move it."""
    left = torch.as_tensor(pulses).expand(chip.weights.shape).clone()
    while left.any():
        train = left.clamp(-31, 31)
        chip.pulse(train * chip.step * chip.unit)
        left -= train


def one_step(cell, w, sign, *numbers):
    """Return where one pulse takes one cell, w in units of the range."""
    _, _, high, low = numbers
    return min(max(w + sign * size_of_step(cell, w, sign, *numbers), low), high)


def size_of_step(cell, w, sign, up, down, high, low):
    """Return how large a step is if no bound stops it: the published laws in plain arithmetic."""
    bound, step = (high, up) if sign > 0 else (low, down)
    if cell.law == SOFT_BOUNDS:
        return step * (1 - w / bound)
    if cell.law == LINEAR:
        slope, mean = (cell.slope_up, cell.upper_bound) if sign > 0 else (cell.slope_down, cell.lower_bound)
        return step * (1 - slope * w / mean)
    if cell.law == TUNNELLING:
        return 0.5 * math.log(math.exp(sign * w / 0.5) + step / 0.5) - sign * w
    z = 2 * w / (high - low) * -0.5 - 0.5
    return step * max(0, 1 - (-1.18445 if sign > 0 else -0.081404) * math.exp(sign * 5 * z))


def numbers_of(chip):
    """Return w, both steps and both bounds of each cell, in units of the range."""
    return [
        (t / chip.unit).double().flatten().tolist()
        for t in (chip.weights, chip.step_up, chip.step_down, chip.upper, chip.lower)
    ]


@pytest.mark.parametrize("pulses", [-31, -2, -1, 0, 1, 5, 31])
def test_soft_bounds_in_closed_form_are_that_many_single_pulses(pulses):
    w = torch.rand(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    up, down, high, low = (0.01, 0.03, 0.8, -1.2)
    wanted = w.clone()
    for _ in range(abs(pulses)):
        wanted += up * (1 - wanted / high) if pulses > 0 else -down * (1 - wanted / low)
    sides = [torch.tensor(v, dtype=torch.float64) for v in (up, down, high, low)]
    moved = write.soft_bounds(w, torch.full_like(w, pulses), *sides)
    assert torch.allclose(w + moved, wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize("falls", [(0.0, 0.0), (0.1, 0.6), (0.9, 1.1), (1e-12, 1e-3)])
@pytest.mark.parametrize("pulses", [-31, -1, 0, 1, 31])
def test_a_linear_step_in_closed_form_is_that_many_single_pulses(pulses, falls):
    w = torch.rand(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    wanted = w.clone()
    for _ in range(abs(pulses)):
        wanted += 0.01 * (1 - falls[0] * wanted) if pulses > 0 else -0.03 * (1 + falls[1] * wanted)
    numbers = [torch.tensor(v, dtype=torch.float64) for v in (0.01, 0.03, *falls)]
    moved = write.linear_step(w, torch.full_like(w, pulses), *numbers)
    assert torch.allclose(w + moved, wanted, atol=1e-12, rtol=0)


def test_soft_bounds_are_linear_steps_that_vanish_at_the_bounds():
    w, pulses = torch.linspace(-0.7, 0.7, 15), torch.arange(-7, 8)
    up, down, high, low = (torch.tensor(v) for v in (0.01, 0.03, 0.8, -1.2))
    assert torch.allclose(
        write.linear_step(w, pulses, up, down, 1 / high, -1 / low),
        write.soft_bounds(w, pulses, up, down, high, low),
        atol=1e-6,
    )


@pytest.mark.parametrize("pulses", [-31, -1, 0, 1, 31])
def test_tunnelling_pulses_add_up_and_follow_the_rate(pulses):
    w = torch.linspace(-1, 1, 21, dtype=torch.float64)
    up, down, fold = (torch.tensor(v, dtype=torch.float64) for v in (0.01, 0.03, 0.5))
    one_by_one = w.clone()
    for _ in range(abs(pulses)):
        one_by_one += write.tunnelling(one_by_one, torch.full_like(w, math.copysign(1, pulses)), up, down, fold)
    together = w + write.tunnelling(w, torch.full_like(w, pulses), up, down, fold)
    assert torch.allclose(together, one_by_one, atol=1e-12, rtol=0)
    short, sign = 1e-6, math.copysign(1, pulses)
    rate = write.tunnelling(w, torch.full_like(w, sign * short), up, down, fold) / short
    assert torch.allclose(rate, sign * (up if sign > 0 else down) * (-sign * w / fold).exp(), rtol=1e-4)
    even = write.tunnelling(w, torch.full_like(w, pulses), up, down, torch.tensor(1e6))
    assert torch.allclose(even, torch.full_like(w, pulses * (0.01 if pulses > 0 else 0.03)), atol=1e-5)


@pytest.mark.parametrize("name", CELLS)
def test_a_train_is_that_many_single_pulses_of_the_published_law(name):
    chip = make(name, cycle_spread=0.0, slope_spread=0.0)
    cell = CELLS[name][2]
    n = (torch.arange(7 * 13) % 41 - 20).reshape(1, 7, 13)
    wanted = []
    for w, up, down, high, low, k in zip(*numbers_of(chip), n.flatten().tolist(), strict=True):
        for _ in range(abs(k)):
            w = one_step(cell, w, math.copysign(1, k), up, down, high, low)
        wanted.append(w)
    drive(chip, n)
    assert np.allclose(numbers_of(chip)[0], wanted, atol=1e-5)


@pytest.mark.parametrize("name", STATES)
def test_a_cell_has_the_published_number_of_states(name):
    cell = CELLS[name][2]
    assert abs(cell.states / STATES[name] - 1) < (0.1 if name == "hfo2" else 0.025)  # papers round, 4.3 to 4 even


@pytest.mark.parametrize("name", ["constant-step", "rpu", "exponential-step", "lithium", "metal-oxide", "capacitor"])
def test_the_pulse_curve_crosses_the_range_in_its_number_of_pulses(name):
    cell, chip = CELLS[name][2], make(name, size=(3, 2), **EVEN, program_noise=0.0)
    (_, [up, *_], [down, *_], [high, *_], [low, *_]) = numbers_of(chip)
    w, pulses = low, 0
    while w < high - 1e-9:
        w, pulses = one_step(cell, w, 1, up, down, high, low), pulses + 1
    if cell.law == LINEAR and not cell.slope_up:
        assert abs(pulses - cell.states) <= 1
    else:  # steps that grow or shrink along the way: the mean of their inverse decides
        line = np.linspace(low, high, 1001)
        inverse = np.mean([up / size_of_step(cell, v, 1, up, down, high, low) for v in line])
        assert abs(pulses / (cell.states * inverse) - 1) < 0.01
    chip.program(torch.full_like(chip.weights, -1e3))
    drive(chip, pulses - 2 - pulses // 1000)  # float32 may be a pulse or two late in thousands
    assert (chip.weights < chip.upper).all()
    drive(chip, 4 + pulses // 500)
    assert (chip.weights == chip.upper).all()


@pytest.mark.parametrize("name", [n for n, (_, _, cell) in CELLS.items() if cell.law == SOFT_BOUNDS])
def test_half_of_the_states_bring_a_soft_bounds_cell_all_but_1_over_e_of_the_way(name):
    cell, step = CELLS[name][2], 0.002  # small against the range, for exp
    chip = make(name, size=(3, 2), **EVEN, step=step, program_noise=0.0)
    chip.program(torch.full_like(chip.weights, -1e3))
    drive(chip, round(cell.upper_bound / step))
    left = (chip.upper - chip.weights) / (chip.upper - chip.lower)
    assert torch.allclose(left, torch.tensor(math.exp(-1)), rtol=0.005)


@pytest.mark.parametrize("name", [n for n, (_, _, cell) in CELLS.items() if cell.slope_up])
@pytest.mark.parametrize("sign", [1, -1])
def test_steps_against_weights_are_a_line_of_the_published_slope(name, sign):
    cell, chip = CELLS[name][2], make(name, size=(64, 1), **EVEN, program_noise=0.0)
    chip.program(torch.linspace(-0.7, 0.7, 64).reshape(1, 1, 64) * chip.unit)
    before = chip.weights.double()
    drive(chip, sign)
    sizes = sign * (chip.weights.double() - before) / (chip.step * chip.unit)
    bound = cell.upper_bound if sign > 0 else cell.lower_bound
    line = np.polyfit((before / chip.unit / bound).flatten().numpy(), sizes.flatten().numpy(), 1)
    rounding = 1e-6 / cell.step
    assert abs(-line[0] - (cell.slope_up if sign > 0 else cell.slope_down)) < rounding
    assert abs(line[1] - 1) < rounding


@pytest.mark.parametrize("name", CELLS)
def test_steps_spread_from_cell_to_cell_as_published(name):
    cell, chip = CELLS[name][2], make(name, SIZE, corrupt=0.0)
    n = chip.weights.numel()
    mean = (chip.step_up + chip.step_down).double() / 2
    logs = (mean / (cell.step * chip.unit)).log() + cell.device_spread**2 / 2
    low, high = chi2.ppf(CONFIDENCE, n)
    assert low < logs.square().sum() / cell.device_spread**2 < high
    skew = ((chip.step_up - chip.step_down).double() / 2 / mean) - cell.asymmetry
    if cell.asymmetry_spread:
        assert low < skew.square().sum() / cell.asymmetry_spread**2 < high
    else:
        assert skew.abs().max() < 1e-6


@pytest.mark.parametrize("name", CELLS)
def test_bounds_spread_from_cell_to_cell_as_published(name):
    """By the cells beyond one standard deviation, since those that would have no range are cut off."""
    cell, chip = CELLS[name][2], make(name, SIZE)
    sides = (chip.upper, cell.upper_bound, cell.upper_spread), (chip.lower, cell.lower_bound, cell.lower_spread)
    for bounds, mean, spread in sides:
        ratio = (bounds / chip.unit).double() / mean
        n, few = ratio.numel(), norm.cdf(-1)
        low, high = binom.ppf(CONFIDENCE, n, few)
        assert low <= (ratio > 1 + spread).sum() <= high
        assert low <= (ratio < 1 - spread).sum() <= high


@pytest.mark.parametrize("name", [n for n, (_, _, cell) in CELLS.items() if cell.slope_up])
def test_slopes_spread_from_cell_to_cell_as_published(name):
    cell, chip = CELLS[name][2], make(name, SIZE)
    slopes = (
        (chip.fall_up * chip.unit * cell.upper_bound, cell.slope_up),
        (
            chip.fall_down * chip.unit * -cell.lower_bound,
            cell.slope_down,
        ),
    )
    for drawn, mean in slopes:
        law, n = foldnorm(mean / cell.slope_spread, scale=cell.slope_spread), drawn.numel()
        assert abs(drawn.double().mean() - law.mean()) < norm.ppf(0.995) * law.std() / math.sqrt(n)


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
def test_pulses_in_turn_lead_to_the_symmetry_point(name):
    cell, chip = CELLS[name][2], make(name, cycle_spread=0.0, corrupt=0.0, slope_spread=0.0, **of_step(name, 0.1))
    if name == "rpu":  # else it takes ten thousands of pairs to a bound
        chip = make(name, cycle_spread=0.0, step=0.1, asymmetry_spread=0.3)
    start = chip.weights.clone()
    for _ in range(600):
        drive(chip, 1)
        drive(chip, -1)
    up, down, high, low = chip.step_up, chip.step_down, chip.upper, chip.lower
    if cell.law == SOFT_BOUNDS:
        point = write.symmetry_point(up, down, high, low)
    elif cell.law == TUNNELLING:
        point = chip.fold / 2 * (up / down).log()
    elif cell.law == LINEAR and cell.slope_up:
        point = write.symmetry_point(up, down, 1 / chip.fall_up, -1 / chip.fall_down)
    elif cell.law == LINEAR:  # everywhere, or nowhere: then a bound
        point = torch.where(up == down, start, torch.where(up > down, high, low))
    else:
        point = chip.unit * torch.tensor(
            [_bisect(cell, *own) for own in zip(*numbers_of(chip)[1:], strict=True)]
        ).reshape(up.shape)
    apart = chip.weights - torch.clamp(point, low, high)
    assert (apart.abs() <= 2 * torch.maximum(up, down)).all()


def _bisect(cell, *numbers):
    _, _, high, low = numbers
    for _ in range(60):
        middle = (high + low) / 2
        rises = size_of_step(cell, middle, 1, *numbers) > size_of_step(cell, middle, -1, *numbers)
        high, low = (high, middle) if rises else (middle, low)
    return (high + low) / 2


def test_symmetry_point_of_even_sides_is_zero_and_moves_with_the_asymmetry():
    one = torch.ones(())
    assert write.symmetry_point(one, one, one, -one) == 0
    assert torch.isclose(write.symmetry_point(1.2 * one, 0.8 * one, one, -one), torch.tensor(0.2))
    assert torch.isclose(write.symmetry_point(one, one, 1.25 * one, -0.75 * one), torch.tensor(0.0))


@pytest.mark.parametrize(
    "name, at_bound", [("soft-bounds", 0.0), ("gong-2018", 1.0), ("capacitor", 1.0), ("lithium", 0.8847)]
)
def test_cycle_noise_near_the_bound_is_that_of_the_step_there_or_at_zero(name, at_bound):
    cell, even = CELLS[name][2], {**EVEN, "cycle_spread": 0.3}
    chip = make(name, SIZE, **even, program_noise=0.0)
    near = cell.upper_bound - 20 * cell.step
    chip.program(torch.full_like(chip.weights, near) * chip.unit)
    before = chip.weights.double()
    drive(chip, 1)
    wanted = 0.3 * cell.step * at_bound
    spread = ((chip.weights - before) / chip.unit).std()
    assert abs(spread - wanted) < 4 * wanted / math.sqrt(2 * chip.weights.numel()) + 0.03 * cell.step


@pytest.mark.parametrize("name", ["lithium", "capacitor", "floating-gate"])
def test_write_and_verify_leaves_its_error_in_steps(name):
    chip = make(name, SIZE, bounds_spread=0.0, program_noise=0.7)
    chip.program(torch.full_like(chip.weights, 0.3) * chip.unit)
    error = (chip.weights.double() / chip.unit - 0.3) / chip.step.double()
    low, high = chi2.ppf(CONFIDENCE, error.numel())
    assert low < error.square().sum() / 0.7**2 < high


def test_a_train_has_31_pulses_at_most_and_bounds_hold():
    for name in CELLS:
        chip = make(name)
        assert chip.pulse(torch.full((1, 7, 13), 1e3)) == 31 * 7 * 13
        for _ in range(50):
            chip.pulse(torch.full((1, 7, 13), 1e3))
            assert (chip.weights <= chip.upper).all() and (chip.weights >= chip.lower).all()


def test_small_changes_land_on_average():
    chip = make("lithium", SIZE, **EVEN, program_noise=0.0)
    chip.program(torch.zeros_like(chip.weights))
    for _ in range(10):
        chip.pulse(torch.full_like(chip.weights, 0.3) * chip.step * chip.unit)
    steps = chip.weights.double() / (chip.step * chip.unit)
    spread = math.sqrt(10 * 0.3 * 0.7)
    assert abs(steps.mean() - 3) < 4 * spread / math.sqrt(steps.numel()) + 0.01
    assert abs(steps.std() / spread - 1) < 4 / math.sqrt(2 * steps.numel()) + 0.01
