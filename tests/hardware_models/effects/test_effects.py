"""Pure effects: error bounds, averages and limits."""

import math

import pytest
import torch

from hardware_models import kernels
from hardware_models.array.parameters import per_chip
from hardware_models.effects import drift, mismatch, read_noise, write
from hardware_models.effects.nonlinearity import FAMILIES
from hardware_models.effects.pairs import difference, pair
from hardware_models.effects.quantize import quantize

SEED = torch.tensor([0])


def _t(*values):
    return torch.tensor(values).reshape(-1, 1, 1)


@pytest.mark.parametrize("bits", [1, 3, 6])
def test_a_quantizer_has_two_to_the_bits_values_and_errs_half_a_step(bits):
    low, high = -1.0, 3.0
    x = torch.linspace(low, high, 9999).reshape(1, 1, -1)
    y = quantize(x, _t(low), _t(high), _t(float(bits)))
    step = (high - low) / (2**bits - 1)
    assert len((y / step * 1000).round().unique()) == 2**bits
    assert (y - x).abs().max() <= step / 2 * (1 + 1e-5)
    assert (y.min(), y.max()) == (low, high)


def test_zero_bits_only_clip_and_chips_may_differ():
    x = torch.linspace(-1, 9, 101).expand(2, 1, -1)
    y = quantize(x, _t(0.0, 0.0), _t(8.0, math.inf), _t(0.0, 0.0))
    assert torch.equal(y[0], x[0].clamp(0, 8)) and torch.equal(y[1], x[1].clamp(min=0))
    assert quantize(torch.zeros(1, 1, 1), _t(0.0), _t(8.0), _t(6.0)) == 0


def test_mismatch_is_lognormal_and_the_curve_spread_has_mean_one():
    xi, n = kernels.normal(SEED, 0, 200, 500, 1), 100_000
    factor = mismatch.factor(_t(0.2), xi)
    assert abs(factor.log().std() - 0.2) < 4 * 0.2 / math.sqrt(2 * n)
    assert abs(factor.log().mean()) < 4 * 0.2 / math.sqrt(n)
    assert abs(mismatch.unit_mean_factor(_t(0.2), xi).mean() - 1) < 4 * 0.21 / math.sqrt(n)
    assert abs(mismatch.offset(_t(0.2), xi).std() - 0.1) < 4 * 0.1 / math.sqrt(2 * n)


@pytest.mark.parametrize("name", FAMILIES)
def test_curves_stay_in_range_and_only_the_interferometer_turns_back(name):
    family = FAMILIES[name]
    y = family.nominal(torch.linspace(-8, 8, 1001))
    assert y.min() >= 0 and y.max() <= family.high * (1 + 1e-6)
    assert bool((y.diff() >= -1e-6).all()) is (name != "non-monotone")


def test_a_steepness_scales_the_input_of_every_curve():
    """Values in plain numbers at ``a = 0.6``, away from the steepness 1 at which a product and a ratio are alike."""
    a, s = 0.6, 1.5
    wanted = {
        "relu": s * a,
        "saturating": math.tanh(s * a),
        "softplus": math.log1p(math.exp(2 * s * a)) / (2 * s),
        "exponential": math.exp(s * (a - 1)),
        "sigmoid": 1 / (1 + math.exp(-2 * s * (a - 1))),
        "non-monotone": math.sin(s * a) ** 2,
    }
    got = {name: family.curve(torch.tensor(a, dtype=torch.float64), s).item() for name, family in FAMILIES.items()}
    assert got == pytest.approx(wanted, rel=1e-12)


def test_a_line_step_that_reaches_further_than_its_end_is_a_number():
    """Where one step is longer than what is left (``d f > 1``), it is clipped afterwards and may not be NaN."""
    moved = write.linear_step(*(torch.tensor(v) for v in (0.0, 3.0, 1.5, 1.5, 1.0, 1.0)))
    assert moved.isfinite() and moved >= 1.0  # the end of the line, where steps vanish


def test_stochastic_rounding_is_right_on_average_and_bounded():
    n = 200_000
    u = kernels.uniform(SEED, 0, 400, 500, 1)
    for change in (0.3, -2.7):
        pulses = write.whole_pulses(torch.full_like(u, change), _t(1.0), u)
        fraction = abs(change) % 1
        assert abs(pulses.mean() - change) < 4 * math.sqrt(fraction * (1 - fraction) / n)
    assert write.whole_pulses(_t(1e9), _t(1.0), _t(0.0)) == write.PULSES_AT_MOST
    assert (write.whole_pulses(torch.zeros_like(u), _t(1.0), u) == 0).all()


def test_pairs_keep_a_weight_and_leave_one_cell_empty():
    w = kernels.normal(SEED, 0, 7, 13, 1)
    cells = pair(w)
    assert torch.equal(difference(cells), w)
    assert (cells >= 0).all() and (cells[:, :7] * cells[:, 7:] == 0).all()


def test_compensation_undoes_a_drift_common_to_all_cells():
    w = kernels.normal(SEED, 0, 7, 13, 1)
    assert torch.allclose(drift.compensation(pair(w), pair(0.7 * w)) * 0.7 * w, w)


def test_a_per_chip_parameter_of_another_length_is_refused_in_three_clauses():
    with pytest.raises(ValueError, match=r"Expected read_noise .* 3 chips\. Got .*\. Give a tensor"):
        per_chip("read_noise", torch.zeros(2), 3)
    with pytest.raises(ValueError, match="Expected read_noise"):
        per_chip("read_noise", float("nan"), 3)


def test_a_cell_does_not_flicker_before_its_first_read_and_as_published_after():
    g, early, late = torch.tensor([0.1, 0.5]).double(), torch.tensor(0.0), torch.tensor(1.0).double()
    assert (read_noise.flicker(g, early) == 0).all()
    by_hand = [0.0088 * x**-0.65 * math.sqrt(math.log((1 + 250e-9) / 500e-9)) for x in g.tolist()]
    assert read_noise.flicker(g, late).tolist() == pytest.approx(by_hand, rel=1e-6)  # the time is in single precision


@pytest.mark.parametrize("pulses", [2, -2])
def test_an_exponential_step_is_the_published_one_pulse_by_pulse(pulses):
    """Oracle in plain numbers; the range is not 1 wide, the offset not 0, so that each has its place."""
    up, down, high, low, slope, offset = 0.1, 0.2, 0.9, -0.4, 0.3, 0.2
    gamma, strength, w = (1.5, 2.5), (0.4, 0.3), 0.1
    for _ in range(abs(pulses)):
        z = 2 * slope * w / (high - low) + offset
        rise, fall = 1 - strength[0] * math.exp(gamma[0] * z), 1 - strength[1] * math.exp(-gamma[1] * z)
        w = w + up * max(rise, 0) if pulses > 0 else w - down * max(fall, 0)
    numbers = (torch.tensor(v).double() for v in (0.1, pulses, up, down, high, low))
    moved = write.exponential_step(*numbers, slope=slope, offset=offset, steepness=gamma, strength=strength)
    assert moved.item() == pytest.approx(w - 0.1, rel=1e-6)
