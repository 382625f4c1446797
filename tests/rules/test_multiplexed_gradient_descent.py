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


@pytest.mark.slow
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


def test_filters_are_at_work_for_all_weights_while_one_is_perturbed():
    chips = make_chips(**SMALL)
    rule = make_rule(chips, code="time", detection="filters", sample_time=6)
    rule.step(*batch_of(10))
    declared = rule.digital_work(rule.options, [(4, 3), (3, 2)], 10)
    found = chips.ledger.total("macs"), chips.ledger.total("moved_bytes")
    assert found == pytest.approx((declared.macs, declared.moved_bytes), rel=1e-12)
    every = 3 * 18 + 3 + 9 * 18  # the low pass of 18 weights, the high pass, Adam
    moved = 2 * 1 + 5 * 2  # there and back, and from one to the next
    assert declared.macs == 6 * (every + 2 * 10 * (4 + 3) + 4 * 10 * 2) + moved


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


@pytest.mark.slow
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


def test_times_in_which_the_loss_cannot_change_are_refused_beside_filters():
    filters = {"detection": "filters"}
    with pytest.raises(ValidationError, match="at least 2 beside detection"):
        MultiplexedGradientDescent.Options(**filters | {"sample_time": 1})
    for last in (3, 4, 8):
        with pytest.raises(ValidationError, match="a divisor of sample_time, which is 4, and less"):
            MultiplexedGradientDescent.Options(**filters | {"perturbation_time": last})
    with pytest.raises(
        ValidationError, match='detection = "filters" beside it, without which highpass_time does nothing'
    ):
        MultiplexedGradientDescent.Options(**{"highpass_time": 3.0})
    MultiplexedGradientDescent.Options(**filters | {"update_time": 7})  # with which nothing has to end


def given_losses(rule, cost):
    """Let a rule read a given cost of its perturbation, a number or ``(weights,)`` to a number; returns what it met."""
    met = []

    def loss(images, labels):
        codes = torch.cat([code.flatten() for code in rule.code]).double()
        value = cost(rule.options.size * codes)
        met.append((codes, value))
        return torch.as_tensor(value, dtype=torch.float32).expand(rule.network.chips)

    rule.network.loss = loss
    return met


def test_filters_are_those_of_the_closed_form():
    """Sums over all the past, of which each batch's first change is none, against the recursion."""
    draws = torch.Generator().manual_seed(0)
    told = {"detection": "filters", "sample_time": 5, "update_time": 3, "highpass_time": 1.6, "size": 0.5}
    rule, captured = make_rule(make_chips(**SMALL), **told), []
    met = given_losses(rule, lambda _: torch.rand((), generator=draws, dtype=torch.float64))
    gradients = capture_gradients(rule)
    for _ in range(2):
        rule.step(*batch_of(2))
        captured.append(flat(gradients[n][0].double() for n in sorted(gradients)))
    rows, costs = torch.stack([codes for codes, _ in met]), torch.stack([cost for _, cost in met])
    changes = costs.diff(prepend=costs[:1]) * torch.tensor([0, 1, 1, 1, 1] * 2)
    high, low = 1.6 / 2.6, 3 / 4
    passed = [sum(high ** (k + 1) * changes[t - k] for k in range(t + 1)) for t in range(10)]
    for found, end in zip(captured, (5, 10), strict=True):
        truth = sum((1 - low) * low**k * passed[end - 1 - k] * rows[end - 1 - k] / 0.5 for k in range(end))
        torch.testing.assert_close(found, truth, rtol=1e-5, atol=1e-6)


def test_a_constant_cost_passes_no_filter():
    rule = make_rule(make_chips(**SMALL), detection="filters", sample_time=8)
    given_losses(rule, lambda _: 2.5)
    (found,) = estimates(rule, *batch_of(2), steps=1)
    assert not found.any()


@pytest.mark.slow
@pytest.mark.parametrize(("shown", "lasts", "passing"), [(2, 1, 0.5 / 2), (4, 2, (0.5 + 0.5**2) / 4)])
def test_a_linear_cost_shows_its_slope_behind_filters(shown, lasts, passing):
    """The first perturbation of a batch shows nothing, and another is seen as the high-pass filter forgets it."""
    slope = torch.linspace(-1, 1, 18, dtype=torch.float64)
    times = {"sample_time": shown, "perturbation_time": lasts, "highpass_time": 1.0, "update_time": 2}
    rule, steps = make_rule(make_chips(**SMALL), detection="filters", **times), 400
    given_losses(rule, lambda moved: moved @ slope)
    sums = [torch.zeros(n_out, n_in, dtype=torch.float64) for n_out, n_in in ((3, 4), (2, 3))]
    for optimizer, total in zip(rule.optimizers, sums, strict=True):

        def keep(gradient, cut=True, total=total):
            total += gradient[0]
            return torch.zeros_like(gradient)

        optimizer._step = keep
    found = []
    for _ in range(steps):
        before = flat(sums)
        rule.step(*batch_of(2))
        found.append((flat(sums) - before) / shown)
    found = torch.stack(found)
    assert_unbiased(found, passing * slope)
    along = found @ slope / (slope @ slope)
    error = along.std().item() / steps**0.5
    assert abs(along.mean().item() - passing) < 4 * error < 0.4 * passing


def test_filters_read_and_write_at_each_unit_of_time():
    chips = make_chips()
    rule = make_rule(chips, detection="filters", sample_time=6, perturbation_time=2)
    for reads, writes in ((60, 3 + 1 + 4), (120, 8 + 3 + 1 + 6)):  # perturbations, one back, updates
        rule.step(*make_batch(10))  # the very first perturbation shows nothing, and there is nothing to write
        assert counted(chips, "reads") == [reads] * 3  # none without a perturbation
        assert counted(chips, "writes") == [writes] * 3


def test_chips_kept_before_there_were_filters_go_on():
    rule, other = (make_rule(make_chips(), code="walsh") for _ in range(2))
    rule.step(*make_batch())
    other.load_state_dict({name: part for name, part in rule.state_dict().items() if name != "high_pass"})
    assert other.time == 4 and not other.high_pass.passed.any()
