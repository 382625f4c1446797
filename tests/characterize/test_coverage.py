"""The point of it all: on chips whose truth is known, 95 % intervals hold it about 95 times in 100."""

import dataclasses

import numpy as np
import pytest
import torch

from analogff.characterize import (
    bits,
    cells,
    codes,
    correlation,
    crosstalk,
    drift,
    inputs,
    linearity,
    noise_floor,
    spread,
    symmetry,
    transfer,
    twin_quality,
    write,
)
from analogff.characterize.survey import extremes, span_between
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.pcm import PCM
from hardware_models.memory_cells.reram import ReRAM
from tests.helpers.bench_fakes import Bent, Coupled, Drooping, Powerful, Remembering, Uneven
from tests.helpers.benches import assert_covers, figures, make_bench
from tests.helpers.truths import moments

MANY = pytest.mark.parametrize("chips", [30, pytest.param(400, marks=pytest.mark.slow)])
FEW = pytest.mark.parametrize("chips", [3, pytest.param(400, marks=pytest.mark.slow)])
COSTLY = pytest.mark.parametrize("chips", [12, pytest.param(400, marks=pytest.mark.slow)])


@MANY
def test_transfer_curves(chips):
    bench, device = make_bench(Unknown, chips)
    found, survey = figures(transfer.measure(bench)), bench.survey
    mean = np.stack([moments(device, float(level))[0] for level in survey.drive], 1)

    def at(level):
        return mean[:, np.abs(survey.drive - level).argmin()]

    assert_covers(found["output at zero"], at(0.0).mean(1))
    assert_covers(found["gain"], ((at(1.0) - at(-1.0)) / 2).mean(1))
    assert_covers(found["output range"], span_between(mean, extremes(survey.outputs[survey.choosing])).mean(1))


@MANY
def test_noise_floor(chips):
    bench, device = make_bench(Unknown, chips)
    found = figures(noise_floor.measure(bench))
    for level in noise_floor.LEVELS:
        assert_covers(found[f"noise, bias {level:+g}"], np.sqrt(moments(device, level)[1].mean(1)))


@MANY
def test_effective_bits(chips):
    bench, device = make_bench(Unknown, chips, read_noise=0.02)
    mean = np.stack([moments(device, float(level))[0] for level in bench.survey.drive], 1)
    error = 0.02**2 + (1 / 63) ** 2 / 12
    truth = -0.5 * np.log2(12 * (error / np.ptp(mean, axis=1) ** 2).mean(1))
    assert_covers(figures(bits.measure(bench))["effective bits"], truth)


@COSTLY
@pytest.mark.parametrize("numbers", [{}, {"read_noise": 0.005, "adc_bits": 8}, {"family": "sigmoid"}])
def test_an_even_converter(chips, numbers):
    bench, _ = make_bench(Unknown, chips, **numbers)
    found = figures(codes.measure(bench))
    assert_covers(found["output step"], 1 / (2 ** numbers.get("adc_bits", 6) - 1), exact=False)
    assert_covers(found["integral nonlinearity"], 0.0)
    assert_covers(found["differential nonlinearity"], 0.0)


@MANY
def test_an_uneven_converter(chips):
    bench, _ = make_bench(Uneven, chips)
    estimates = codes.measure(bench)
    found = figures(estimates)
    measured = estimates.curves[0].table["x"].unique()
    first, count = int(measured.min()), len(measured)
    many = Uneven(16, 4000, seed=[5]).thresholds[0].double().numpy().T  # a population of columns
    inl = codes.unexplained(many[None, first - 1 : first - 1 + count])
    assert_covers(found["integral nonlinearity"], np.sqrt((inl**2).mean()))
    assert_covers(found["differential nonlinearity"], np.sqrt((np.diff(inl, axis=1) ** 2).mean()))


QUIET = {"read_noise": 0.003, "adc_bits": 6}  # a fifth of a step, so that nulls lie on edges of codes


@pytest.mark.slow
@MANY
@pytest.mark.parametrize("numbers", [{}, QUIET])
def test_superposition_holds(chips, numbers):
    assert_covers(figures(linearity.measure(make_bench(Unknown, chips, **numbers)[0]))["superposition error"], 0.0)


@MANY
def test_superposition_fails(chips, monkeypatch):
    bench, device = make_bench(Drooping, chips)
    inputs = []

    def watched(bench, x, *rest, original=linearity.sums):
        inputs.append(torch.tensor(x, dtype=torch.float32))
        return original(bench, x, *rest)

    monkeypatch.setattr(linearity, "sums", watched)
    found = figures(linearity.measure(bench))["superposition error"]
    one, other, both = device.sum(inputs[0].expand(chips, -1, -1)).chunk(3, 1)
    truth = ((both - one - other).square().mean() / both.square().mean()).sqrt()
    assert 0.03 < truth < 0.3
    assert_covers(found, float(truth))


@FEW
@pytest.mark.parametrize("numbers", [{}, QUIET])
def test_inputs_that_are_proportional(chips, numbers):
    assert_covers(figures(inputs.measure(make_bench(Unknown, chips, **numbers)[0]))["input nonlinearity"], 0.0)


@FEW
def test_cells_whose_current_bends(chips):
    bench, device = make_bench(Bent, chips)
    found = inputs.measure(bench)
    v = found.curves[0].table["x"].unique()
    current = np.sinh(device.bend * v) / np.sinh(device.bend * v[-1])
    truth = np.sqrt(((current - v / v[-1]) ** 2).mean())
    assert 0.05 < truth < 0.3
    assert_covers(figures(found)["input nonlinearity"], truth)
    drawn = found.curves[0].table.groupby("x")["y"].mean()
    np.testing.assert_allclose(drawn, current, atol=0.02)


@MANY
def test_correlations(chips):
    independent = figures(correlation.measure(make_bench(Unknown, chips)[0]))
    remembering = figures(correlation.measure(make_bench(Remembering, chips)[0]))
    for found, lag, common in ((independent, 0.0, 0.0), (remembering, 0.5, 0.3)):
        assert_covers(found["read-to-read correlation"], lag)
        assert_covers(found["noise correlation of neighbors"], common)


@MANY
@pytest.mark.parametrize("family", ["saturating", "sigmoid", "exponential"])
def test_spread_over_neurons(chips, family):
    found = figures(spread.measure(make_bench(Unknown, chips, family=family, mismatch=0.1)[0]))
    assert_covers(found["gain spread over neurons"], 0.1)


@MANY
def test_neurons_that_are_alike(chips):
    found = figures(spread.measure(make_bench(Unknown, chips, mismatch=0.0, **QUIET)[0]))
    assert_covers(found["gain spread over neurons"], 0.0, exact=False)
    assert_covers(found["threshold spread over neurons"], 0.0, exact=False)


@MANY
def test_spread_of_thresholds(chips):
    bench, device = make_bench(Unknown, chips, mismatch=0.1)
    level = spread.common_levels(bench)[0][:, 0]
    normals = np.random.default_rng(0).standard_normal((2, 100_000))
    gain, offset = np.exp(0.1 * normals[0]), 0.05 * normals[1]
    nominal = np.arctanh(level) / device.steepness.flatten().numpy()
    truth = [np.std((sum_ - offset) / gain) for sum_ in nominal]
    assert_covers(figures(spread.measure(bench))["threshold spread over neurons"], truth)


@pytest.mark.slow
def test_spread_over_chips():
    lots = []
    for lot in range(100):
        bench, _ = make_bench(Unknown, 6, first=10_000 + 6 * lot, curve_spread=0.3, mismatch=0.1, read_noise=0.02)
        lots.append(figures(spread.measure(bench))["gain spread over chips"])
    ends = {part: np.concatenate([getattr(lot, part) for lot in lots]) for part in ("value", "low", "high")}
    assert_covers(dataclasses.replace(lots[0], **ends), 0.3)


@pytest.mark.slow
@COSTLY
def test_drift(chips):
    bench, device = make_bench(Powerful, chips)
    times = np.array(drift.SECONDS)
    truth = [-np.polyfit(np.log(times), -nu * np.log(1 + times / 20), 1)[0] for nu in device.nu.flatten().numpy()]
    assert_covers(figures(drift.measure(bench))["drift exponent"], truth)
    assert_covers(figures(drift.measure(make_bench(Unknown, chips)[0]))["drift exponent"], 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("chips", [5, pytest.param(400, marks=pytest.mark.slow)])
def test_the_drift_of_phase_change_cells(chips):
    bench, device = make_bench(PCM, chips)
    inputs, sums = [], []

    def watched(bench, x, *rest, original=drift.sums):
        inputs.append(torch.tensor(x, dtype=torch.float32).expand(chips, -1, -1))
        sums.append((inputs[-1] @ device.weights.mT).double().numpy())
        return original(bench, x, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift, "sums", watched)
        found = figures(drift.measure(bench))["drift exponent"]
    mean = np.stack([(sums[0] * a).mean((1, 2)) for a in sums[1:]])
    truth = -np.polyfit(np.log(drift.SECONDS), np.log(mean), 1)[0]
    assert 0.03 < truth.mean() < 0.07
    assert_covers(found, truth)


@pytest.mark.slow
@COSTLY
def test_crosstalk(chips):
    for model, share in ((Unknown, 0.0), (Coupled, 0.05)):
        found = figures(crosstalk.measure(make_bench(model, chips)[0]))
        assert_covers(found["crosstalk to neighbors"], share)
        assert_covers(found["crosstalk to other outputs"], 0.0)


@MANY
def test_writes_that_land_roughly(chips):
    bench, _ = make_bench(Unknown, chips, write_noise=0.3)
    found = figures(write.measure(bench))
    mean = np.exp(0.2**2 / 2)  # of the lognormal efficiency
    asked = 0.1 / 4
    assert_covers(found["landed over asked"], mean)
    assert_covers(found["write step up"], asked * mean)
    assert_covers(found["write step down"], asked * mean)
    assert_covers(found["write asymmetry"], 0.0)
    assert_covers(found["step spread, cell to cell"], np.sqrt(np.exp(0.2**2) - 1))
    assert_covers(found["step spread, pulse to pulse"], 0.3 * np.exp(0.2**2 / 2))


CELLS = {"asymmetry": 0.2, "bounds_spread": 0.1, "weight_noise": 0.0}


@pytest.mark.slow
@MANY
@pytest.mark.parametrize("cycle_spread", [1.0, 3.75])  # the published one is 3.75
def test_pulses_of_resistive_cells(chips, cycle_spread):
    numbers = dict(cycle_spread=cycle_spread, **CELLS)
    found = figures(write.measure(make_bench(ReRAM, chips, **numbers)[0]))
    train = cells.find_pulses(make_bench(ReRAM, chips, **numbers)[0]).train
    many = ReRAM(16, 16, seed=range(50_000, 50_200), cycle_spread=0.0, **CELLS)  # a population, by its true weights
    states = [many.weights.double().clone()]
    for direction in (1, -1, -1, 1):  # from where cells are as fabricated, as `measure` says
        many.pulse(torch.full_like(many.weights, direction * train * 0.002))
        states.append(many.weights.double().clone())
    up, down, down2, up2 = (d * (b - a) / train for d, a, b in zip((1, -1, -1, 1), states, states[1:], strict=False))
    up, down = (up + up2) / 2, (down + down2) / 2
    assert_covers(found["write step up"], float(up.mean()))
    assert_covers(found["write step down"], float(down.mean()))
    assert_covers(found["write asymmetry"], float((up - down).mean() / (up + down).mean()))
    assert_covers(found["step spread, cell to cell"], float(up.std() / up.mean()))
    noise = cycle_spread * float(up.square().mean().sqrt() / up.mean())
    assert_covers(found["step spread, pulse to pulse"], noise)


@pytest.mark.slow
@pytest.mark.parametrize("chips", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_symmetry_points(chips):
    bench, _ = make_bench(ReRAM, chips, cycle_spread=0.0, **CELLS)
    found = figures(symmetry.measure(bench))
    many = ReRAM(16, 16, seed=range(50_000, 50_200), **CELLS)
    point = (many.step_up - many.step_down) / (many.step_up / many.upper - many.step_down / many.lower)
    assert_covers(found["symmetry point"], float(point.mean()))
    assert_covers(found["spread of settled cells"], float(point.std()))


@pytest.mark.slow
@pytest.mark.parametrize("chips", [6, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("model", [Unknown, ReRAM])
def test_the_twin(chips, model):
    bench, _ = make_bench(model, chips)
    twin = twin_quality.make_twin(bench)
    found, truth = (figures(twin_quality.judge(bench, twin, held_out)) for held_out in (500, 10_000))
    assert truth["twin: explained share"].value.min() > 0.98
    assert truth["twin: error over noise"].value.mean() < 1.1
    for name, estimate in found.items():
        assert_covers(estimate, truth[name].value)
