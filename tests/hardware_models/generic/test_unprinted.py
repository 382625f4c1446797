"""Chips that nobody has a model of: what is drawn, what is printed, and what a slope is where neurons are coupled."""

import math

import pytest
import torch

from analogff.device import check_device, fabricate, local_fields, product
from analogff.study.read.spec import read_study
from analogff.support.mistakes import StudyError
from hardware_models.effects.mixing import mixing_matrix
from hardware_models.effects.nonlinearity import FAMILIES
from hardware_models.effects.random_curves import population_mean
from hardware_models.effects.reservoir import unit_scale
from hardware_models.generic.coupled import Coupled
from hardware_models.generic.faulty import faulty
from hardware_models.generic.random_curves import RandomCurves
from hardware_models.generic.reservoir import Reservoir
from hardware_models.generic.unknown import Unknown
from tests.helpers.devices import inputs, trace

EXACT = dict(mismatch=0.0, read_noise=0.0, adc_bits=0, dac_bits=0)
NEW = [RandomCurves, Coupled, Reservoir]
PRINTS = {
    Unknown: ["family", "nothing", *FAMILIES],
    RandomCurves: ["mean", "nothing"],
    Coupled: ["family", "nothing"],
    Reservoir: ["neuron", "nothing"],
}


def _seen(device, chips=2):
    return trace(device, inputs(chips, 9, 13))


def _curves(neurons, sums, **told):
    """Outputs of single neurons at sums, ``(sums, neurons)``."""
    device = RandomCurves(1, neurons, seed=0, **EXACT, **told)
    return device(torch.zeros(1, len(sums), 1), torch.as_tensor(sums).view(1, -1, 1))[0].double()


# --- what is printed


@pytest.mark.parametrize("model", PRINTS)
def test_what_is_printed_changes_no_number_of_a_chip(model):
    first, *others = (fabricate(model, 13, 7, seeds=[3, 1], parameters=dict(prints=p)) for p in PRINTS[model])
    seen, sheet = _seen(first), first.datasheet
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(_seen(other), seen, strict=True))
        assert (other.datasheet.output_min, other.datasheet.output_max) == (sheet.output_min, sheet.output_max)


def test_a_datasheet_prints_the_family_another_one_or_nothing():
    a = torch.linspace(-3, 3, 61)
    for family, law in FAMILIES.items():
        for other in FAMILIES:
            sheet = Unknown(4, 3, seed=0, family=family, prints=other).datasheet
            assert torch.equal(sheet.neuron(a), FAMILIES[other].nominal(a)) and sheet.output_max == law.high
        assert torch.equal(Unknown(4, 3, seed=0, family=family).datasheet.neuron(a), law.nominal(a))
    assert all(model(4, 3, seed=0, prints="nothing").datasheet.neuron is None for model in PRINTS)


@pytest.mark.parametrize("name", ["unknown", "random-curves", "coupled", "reservoir"])
def test_a_twin_of_a_chip_that_prints_nothing_is_refused_in_a_sentence(name, tmp_path):
    (tmp_path / "study.toml").write_text(
        'name = "t"\ndataset = "digits"\nlayers = [16]\nepochs = 1\nchips = 1\ntrain_images = 100\nvalidation_images = 50\n'
        f'[device]\nmodel = "{name}"\nprints = "nothing"\n[[rule]]\nname = "backprop"\n'
    )
    with pytest.raises(StudyError, match="prints no neuron curve") as refused:
        read_study(tmp_path / "study.toml")
    assert str(refused.value).count("Expected") == 1, refused.value
    assert read_study(tmp_path / "study.toml", ["rule.through=oracle"])


def test_a_parameter_that_changes_neither_reads_nor_the_printed_curve_is_still_found():
    class Idle(Unknown):
        def __init__(self, *sizes, idle: str = "a", **others):
            super().__init__(*sizes, **others)

    Idle.__init__.__annotations__["idle"] = __import__("typing").Literal["a", "b"]
    assert "parameter idle did nothing" in " ".join(check_device(Idle).lines())


@pytest.mark.parametrize("model", NEW)
def test_pulses_land_as_on_unknown(model):
    """Each cell has a lognormal efficiency of its own, median 1."""
    chip = model(100, 200, seed=[0], mismatch=0.3)
    before = chip.weights.clone()
    chip.pulse(torch.full_like(before, 2.0))
    logs = ((chip.weights - before) / 2).double().log()
    n = logs.numel()
    assert abs(logs.mean()) < 4 * 0.3 / n**0.5 and abs(logs.std() - 0.3) < 4 * 0.3 / (2 * n) ** 0.5


# --- a curve a neuron


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_mean_curve_of_many_neurons_is_the_printed_one(share):
    sums, n = torch.linspace(-3, 3, 25), 8000
    off = _curves(n, sums, trend_share=share).mean(1) - population_mean(sums.double(), share)
    assert off.abs().max() < 4 * 0.29 / n**0.5 + 1e-6  # outputs between 0 and 1 differ by at most 0.29, if uniform
    printed = RandomCurves(1, 1, seed=0, trend_share=share).datasheet.neuron(sums)
    assert torch.allclose(printed, population_mean(sums, share))


def test_without_a_trend_outputs_at_a_sum_are_uniform_over_neurons():
    y, n = _curves(8000, [0.7], trend_share=0.0)[0].sort().values, 8000
    assert (y - (torch.arange(n) + 0.5) / n).abs().max() < 1.95 / n**0.5  # Kolmogorov and Smirnov, 1 in 1000


@pytest.mark.parametrize("share, length", [(0.2, 1.0), (0.5, 1.0), (0.2, 2.0)])
def test_slopes_are_positive_at_the_share_of_sums_that_the_docstring_says(share, length):
    h, n = 1e-2, 8000
    low, high = _curves(n, [0.3 - h, 0.3 + h], trend_share=share, length_scale=length)
    wanted = 0.5 * (1 + math.erf(length * math.sqrt(share / (1 - share)) / math.sqrt(2)))
    # a neuron's 8 frequencies make its slope's variance random: 2 / 8 of it, which moves the share by some percent
    assert (high > low).double().mean().item() == pytest.approx(wanted, abs=0.02 + 4 * 0.5 / n**0.5)


def test_length_is_the_distance_over_which_a_curve_becomes_another():
    """The covariance of the processes is that of a squared exponential."""
    sums, length = torch.tensor([0.0, 0.5, 1.0, 2.0]), 1.0
    h = torch.special.ndtri(_curves(8000, sums, trend_share=0.0, length_scale=length).clamp(1e-6, 1 - 1e-6))
    found = (h * h[:1]).mean(1)
    assert (found - torch.exp(-sums.double().square() / 2)).abs().max() < 4 * 2**0.5 / 8000**0.5


# --- neurons that act on each other


@pytest.mark.parametrize("density", [0.1, 1.0])
def test_a_mixing_leaves_lines_as_they_are_and_adds_rows_of_the_told_length(density):
    n, normal = 200, torch.Generator().manual_seed(0)
    drawn, uniform = torch.randn(2, n, n, generator=normal), torch.rand(2, n, n, generator=normal)
    strength = torch.tensor([0.0, 0.7]).view(2, 1, 1)
    mixing = mixing_matrix(drawn, uniform, strength, torch.tensor(density)) - torch.eye(n)
    assert torch.equal(mixing[0], torch.zeros(n, n)) and not mixing[1].diagonal().any()
    assert torch.allclose(mixing[1].norm(dim=1), torch.tensor(0.7))
    filled, pairs = (mixing[1] != 0).sum().item(), n * (n - 1)
    assert abs(filled - density * pairs) <= 4 * math.sqrt(density * (1 - density) * pairs)


@pytest.mark.parametrize("place", ["behind", "before"])
def test_coupled_neurons_are_a_product_before_or_behind_the_curve(place):
    chip, x = Coupled(13, 40, seed=[3, 1], place=place, family="sigmoid", **EXACT), inputs(2, 9, 13)
    mixing, curve = chip.mixing.double(), FAMILIES["sigmoid"].curve
    s, a, bias = chip.steepness.double(), product(x, chip.weights).double(), 0.1
    if place == "behind":
        wanted = (curve(a + bias, s) @ mixing.mT).clamp(0, 1)
    else:
        wanted = curve(a @ mixing.mT + bias, s)
    assert torch.allclose(chip(x, torch.tensor(bias)).double(), wanted, atol=1e-5)


@pytest.mark.parametrize("extra", [{}, {"crosstalk": 0.1}])
def test_the_true_weights_of_a_mixing_of_sums_are_exact(extra):
    """The derivative by an input is slope times weight, whatever stands in front of the mixing."""
    told = dict(place="before", family="softplus", density=0.5, curve_spread=0.0, **EXACT, **extra)
    chip, x = (Coupled(13, 7, seed=[3, 1], **told), inputs(2, 9, 13))
    alone, bias, h = Coupled(13, 7, seed=[3, 1], strength=0.0, **told), torch.tensor(0.5), 0.02
    truth = chip.oracle(x, bias)
    assert torch.allclose(truth.weights, product(chip.mixing, alone.oracle(x).weights.mT.contiguous()))
    for line in (0, 4, 12):
        step = h * torch.eye(13)[line]
        change = (chip(x + h + step, bias) - chip(x + h - step, bias)) / (2 * h)
        wanted = chip.oracle(x + h, bias).slope * truth.weights[:, None, :, line]
        assert torch.allclose(change, wanted, atol=2e-3)


def test_a_probe_of_all_coupled_neurons_at_once_measures_the_sum_of_a_row():
    told = dict(place="behind", family="softplus", strength=0.5, density=0.5, **EXACT)
    chip, x, h = Coupled(13, 7, seed=[3], **told), inputs(1, 30, 13), 1e-2
    probed = (chip(x, torch.tensor(3.0 + h)) - chip(x, torch.tensor(3.0 - h))) / (2 * h)
    slope = chip.oracle(x, torch.tensor(3.0)).slope
    inside = (chip(x, torch.tensor(3.0)) > 0.1) & (chip(x, torch.tensor(3.0)) < 7.9)
    assert inside.float().mean() > 0.5
    assert torch.allclose(probed[inside], product(slope, chip.mixing)[inside], atol=2e-3)
    assert (probed - slope)[inside].abs().mean() > 0.1


# --- a network behind the sums


def test_a_reservoir_is_the_network_of_its_equation():
    chip, x = Reservoir(13, 7, seed=[3, 1], **EXACT), inputs(2, 9, 13)
    a, m = product(x, chip.weights).double() + 0.1, chip.share.double()
    z = torch.tanh(a @ chip.inward.double().mT + chip.shift.double())
    wanted = (1 + torch.tanh((1 - m).sqrt() * a + m.sqrt() * z @ chip.outward.double().mT)) / 2
    assert torch.allclose(chip(x, torch.tensor(0.1)).double(), wanted, atol=1e-5)


def test_the_network_gets_and_gives_the_variances_of_its_docstring():
    chip, n = Reservoir(4, 400, seed=[0], units=400, drive=1.5, **EXACT), 400
    a = torch.randn(1, 2000, n, generator=torch.Generator().manual_seed(1))
    into = product(a, chip.inward) + chip.shift
    assert into.std().item() == pytest.approx(1.5, rel=4 / math.sqrt(2 * n))
    assert product(torch.tanh(into), chip.outward).std().item() == pytest.approx(1.0, rel=4 / math.sqrt(n))


@pytest.mark.parametrize("drive", [1e-3, 1.5, 1e3])
def test_units_are_scaled_by_the_power_of_a_tanh(drive):
    xi = torch.randn(10**6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    power = torch.tanh(drive * xi).square().mean().item()
    assert unit_scale(torch.tensor([[[drive]]])).item() == pytest.approx(power**-0.5, rel=0.01)


def test_each_output_of_a_reservoir_depends_on_all_sums_and_the_slope_is_its_own():
    chip, x, h = Reservoir(13, 7, seed=[3], share=0.5, **EXACT), inputs(1, 5, 13), 1e-2
    one = torch.eye(7).unsqueeze(1)
    jacobian = torch.stack([(chip(x, h * b) - chip(x, -h * b))[0] / (2 * h) for b in one], -1)
    assert (jacobian.abs() > 1e-4).float().mean() > 0.95
    assert torch.allclose(jacobian.diagonal(dim1=1, dim2=2), chip.oracle(x).slope[0], atol=1e-3)


@pytest.mark.parametrize("model", [Coupled, Reservoir])
def test_chips_with_numbers_of_their_own_are_the_same_alone(model):
    own = dict(strength=[0.0, 0.5, 2.0]) if model is Coupled else dict(drive=[0.1, 1.5, 3.0])
    x, told = inputs(3, 33, 97), {name: torch.tensor(values) for name, values in own.items()}
    bank = fabricate(model, 97, 41, seeds=[3, 1, 4], parameters=told)
    seen, truth = trace(bank, x), bank.oracle(x)
    for c, seed in enumerate([3, 1, 4]):
        alone = fabricate(model, 97, 41, seeds=[seed], parameters={n: v[c] for n, v in own.items()})
        assert all(torch.equal(a, b[c : c + 1]) for a, b in zip(trace(alone, x[c : c + 1]), seen, strict=True))
        assert all(torch.equal(a[0], b[c]) for a, b in zip(alone.oracle(x[c : c + 1]), truth, strict=True))


# --- errors by all sums, for a bound that is one


def _by_autograd(outputs, chip, x, error):
    """Errors of the weighted sums ``a`` of an equation in double precision."""
    a = (product(x, chip.weights).double() + 0.1).requires_grad_()
    driven = a * chip.gain.double() + chip.offset.double()
    return torch.autograd.grad(outputs(driven), a, error.double())[0]


def _mixed(chip):
    curve, mixing = FAMILIES["sigmoid"].curve, chip.mixing.double()
    return lambda a: curve(a, chip.steepness.double()) @ mixing.mT


def _network(chip):
    m, inward, outward = chip.share.double(), chip.inward.double(), chip.outward.double()

    def outputs(a):
        z = torch.tanh(a @ inward.mT + chip.shift.double())
        return (1 + torch.tanh((1 - m).sqrt() * a + m.sqrt() * z @ outward.mT)) / 2

    return outputs


BOUNDS = {
    "coupled": (Coupled, dict(place="behind", family="sigmoid", density=0.5), _mixed),
    "reservoir": (Reservoir, dict(share=0.7), _network),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_pullback_is_that_of_autograd_through_the_equation(name):
    model, told, equation = BOUNDS[name]
    chip, x = model(13, 24, seed=[3, 1], **told), inputs(2, 9, 13)
    error = torch.randn(2, 9, 24, generator=torch.Generator().manual_seed(0))
    wanted = _by_autograd(equation(chip), chip, x, error)
    pulled = chip.pullback(x, error, torch.tensor(0.1))
    assert torch.allclose(pulled.double(), wanted, atol=1e-5)
    alone = error * chip.oracle(x, torch.tensor(0.1)).slope
    assert (pulled - alone).norm() > 0.3 * pulled.norm(), "neurons act on each other"


@pytest.mark.parametrize("told", [dict(share=0.0), dict(strength=0.0, place="behind")], ids=["reservoir", "coupled"])
def test_where_neurons_are_alone_a_pullback_is_the_error_times_the_slope(told):
    chip, x = (
        (Reservoir if "share" in told else Coupled)(13, 7, seed=[3, 1], neuron_seconds=1e-8, **told),
        inputs(2, 9, 13),
    )
    error = torch.randn(2, 9, 7, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(chip.pullback(x, error), error * chip.oracle(x).slope, atol=1e-6)
    assert Coupled(13, 7, seed=[3]).pullback(x[:1], error[:1]) is None, "sums that are mixed are in the true weights"


@pytest.mark.parametrize("name", BOUNDS)
def test_a_pullback_is_the_same_alone_in_a_bank_and_in_fields(name):
    model, told, _ = BOUNDS[name]
    x, generator = inputs(3, 33, 16), torch.Generator().manual_seed(0)
    error = torch.randn(3, 33, 24, generator=generator)
    for around, more in ((model, {}), (local_fields(model), dict(field=2, stride=2))):
        bank = fabricate(around, 16, 24, seeds=[3, 1, 4], parameters=told | more)
        pulled = bank.pullback(x, error)
        for c, seed in enumerate([3, 1, 4]):
            one = fabricate(around, 16, 24, seeds=[seed], parameters=told | more)
            assert torch.equal(one.pullback(x[c : c + 1], error[c : c + 1])[0], pulled[c])
    fields = bank.connection.join(bank.bank.oracle(bank.connection.spread(x)).slope)
    assert fields.shape == pulled.shape and not torch.allclose(pulled, error * fields, atol=1e-3)


def test_errors_go_back_through_what_happened_to_a_chip():
    told = dict(supply_sag=0.2, dead_columns=0.3, share=0.7, at_write=0)
    chip, x = fabricate(faulty(Reservoir), 13, 24, seeds=[3, 1], parameters=told | EXACT), inputs(2, 5, 13)
    error, h = torch.randn(2, 5, 24, generator=torch.Generator().manual_seed(0)), 1e-2
    one = torch.eye(24).unsqueeze(1)
    up, down = (torch.stack([chip(x, sign * h * b) for b in one], -1) for sign in (1, -1))
    inside = (chip(x) < 0.8 - h).unsqueeze(-1)  # clipping is left out, as in the oracle
    error = error * inside.squeeze(-1)
    moved = ((up - down) / (2 * h) * inside * error.unsqueeze(-1)).sum(-2)
    assert torch.allclose(chip.pullback(x, error), moved, atol=2e-3)
