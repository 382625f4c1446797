import pytest
import torch
from pydantic import ValidationError

from analogff.device import Observable
from analogff.learning import codes
from analogff.network.normalization import Unchanged
from analogff.rules.multiplexed_gradient_descent import MultiplexedGradientDescent
from analogff.rules.weight_perturbation import WeightPerturbation
from tests.helpers.fakes import capture_gradients, counted, make_batch, make_chips, weights_of
from tests.helpers.gradients import assert_squared_cosine, assert_unbiased, estimates, flat, true_gradients

SMALL = {"sizes": (4, 3), "classes": 2, "seeds": (0,), "curve": torch.tanh}  # 18 weights
PERIODS = {"time": 18, "frequency": 18, "walsh": 32}


def make_rule(chips, rule=MultiplexedGradientDescent, normalizer=None, **options):
    chosen = rule.Options(**options)
    return rule(chips.seal(rule.needs(chosen), normalizer), chosen, seed=0)


def batch_of(n):
    return make_batch(n, n_in=4, classes=2)


@pytest.mark.parametrize(("code", "period"), PERIODS.items())
def test_weights_are_told_apart_exactly_within_a_period(code, period):
    """Codes of any two weights are orthogonal over it, so one period shows the gradient, to first order in the size."""
    rows = torch.stack([torch.cat(codes.perturbation(code, t, [12, 6])) for t in range(period)])
    size = 1.0 if code == "time" else period
    torch.testing.assert_close(rows.mT @ rows, size * torch.eye(18), rtol=0, atol=1e-5 * size)
    assert codes.period(code, 18) == period
    assert torch.equal(rows[0], torch.cat(codes.perturbation(code, period, [12, 6])))
    chips, batch = make_chips(**SMALL), batch_of(8)
    rule = make_rule(chips, code=code, size=1e-3, sample_time=period, update_time=period)
    (found,), truth = estimates(rule, *batch, steps=1), flat(true_gradients(chips, *batch, torch.tanh))
    found = found * (period if code == "time" else 1)  # each weight had its turn once
    torch.testing.assert_close(found, truth, rtol=0, atol=0.02 * truth.abs().max().item())


def test_random_signs_follow_the_law_of_random_directions():
    chips, batch = make_chips(**SMALL), batch_of(8)
    truth = flat(true_gradients(chips, *batch, torch.tanh))
    assert_unbiased(estimates(make_rule(chips, size=1e-3, sample_time=8, update_time=8), *batch, steps=20), truth)
    one = {"sample_time": 1, "update_time": 1}
    assert_squared_cosine(estimates(make_rule(chips, size=1e-3, **one), *batch, steps=120), truth, 1 / 18)


@pytest.mark.parametrize("time", [1, 3])
def test_within_one_batch_it_is_one_sided_weight_perturbation(time):
    batch, found = batch_of(8), []
    for rule, told in (
        (MultiplexedGradientDescent, {"sample_time": time, "update_time": time}),
        (WeightPerturbation, {"sides": "one", "directions": time}),
    ):
        made = make_rule(make_chips(**SMALL), rule, size=0.01, **told)
        made.generator = torch.Generator().manual_seed(3)
        found.append(estimates(made, *batch, steps=1))
    torch.testing.assert_close(*found, rtol=0, atol=2e-4)  # moves land a rounding apart, over 0.01


def test_an_update_may_be_made_of_several_batches():
    """tau_theta = 2 tau_x: nothing is written but perturbations until the second, whose gradient is the mean."""
    one, two = batch_of(8), make_batch(8, n_in=4, classes=2, seed=1)
    chips = make_chips(**SMALL)
    rule = make_rule(chips, code="walsh", size=1e-3, sample_time=32, update_time=64)
    captured = capture_gradients(rule)
    rule.step(*one)
    assert not captured
    rule.step(*two)
    found = flat(captured[n][0].double() for n in sorted(captured))
    truth = sum(flat(true_gradients(chips, *batch, torch.tanh)) for batch in (one, two)) / 2
    torch.testing.assert_close(found, truth, rtol=0, atol=0.02 * truth.abs().max().item())


@pytest.mark.parametrize("code", ["signs", "time"])
def test_perturbations_are_taken_back_before_anybody_looks(code):
    chips = make_chips(seeds=(0,))
    rule = make_rule(chips, code=code, sample_time=3, update_time=6, perturbation_time=3)
    before = weights_of(chips)
    rule.step(*make_batch())
    for a, b in zip(before, weights_of(chips), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("told", "reads", "writes"),
    [
        ({}, 50, 6),  # a loss without, and 4 with; 4 changes, one back, the update
        ({"sample_time": 4, "update_time": 2}, 60, 8),  # anew behind each update
        ({"perturbation_time": 2}, 50, 4),
        ({"perturbation_time": 8, "update_time": 8}, 50, 2),  # no update yet
    ],
)
def test_reads_and_writes_of_a_step(told, reads, writes):
    chips = make_chips()
    rule = make_rule(chips, **told)
    rule.step(*make_batch(10))
    assert counted(chips, "reads") == [reads] * 3 and counted(chips, "writes") == [writes] * 3
    assert rule.needs(rule.options) == Observable.LOSS


def test_one_weight_after_another_costs_a_pulse_a_change_and_hardly_any_work():
    chips, told = make_chips(**SMALL), {"code": "time", "sample_time": 18, "update_time": 36}
    rule = make_rule(chips, **told)
    rule.step(*batch_of(10))
    assert chips.ledger.total("pulses").tolist() == [18 * 2]
    declared = rule.digital_work(rule.options, [(4, 3), (3, 2)], 10)
    found = chips.ledger.total("macs"), chips.ledger.total("moved_bytes")
    rule.step(*batch_of(10))  # with the update
    both = chips.ledger.total("macs"), chips.ledger.total("moved_bytes")
    assert both == pytest.approx((2 * declared.macs, 2 * declared.moved_bytes)) and found[0] < declared.macs
    assert rule.dataflows(rule.options, [(4, 3), (3, 2)], 10) == []


def test_the_small_case_of_the_paper_exclusive_or():
    """On 3-3-2 sigmoids, a line always on: most chips of 8 are all right, and others are in a local minimum as there."""
    images = torch.tensor([[0.0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    labels = torch.tensor([0, 1, 1, 0])
    chips = make_chips(sizes=(3, 3), classes=2, seeds=range(8), curve=torch.sigmoid)
    rule = make_rule(chips, normalizer=Unchanged(), size=0.05, learning_rate=0.1, decay_from=1.0)
    for _ in range(160):
        rule.step(images, labels)
    assert (rule.predict(images) == labels).all(1).sum() >= 5


@pytest.mark.parametrize(
    "told",
    [{"update_time": 3}, {"perturbation_time": 3}, {"sample_time": 2, "update_time": 4, "perturbation_time": 3}],
)
def test_times_that_do_not_end_together_are_refused(told):
    with pytest.raises(ValidationError, match="a multiple or a divisor of .* so that they end together"):
        MultiplexedGradientDescent.Options(**told)
