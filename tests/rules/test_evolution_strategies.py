import pytest
import torch
from pydantic import ValidationError

from analogff.device import Observable
from analogff.rules.evolution_strategies import EvolutionStrategies
from tests.helpers.fakes import capture_gradients, counted, make_batch, make_chips, weights_of
from tests.helpers.gradients import assert_squared_cosine, assert_unbiased, estimates, flat, true_gradients

SMALL = {"sizes": (4, 3), "classes": 2, "seeds": (0,), "curve": torch.tanh}  # 18 weights


def make_rule(chips, **options):
    chosen = EvolutionStrategies.Options(**options)
    return EvolutionStrategies(chips.seal(EvolutionStrategies.needs(chosen)), chosen, seed=0)


def batch_of(n):
    return make_batch(n, n_in=4, classes=2)


def record(rule):
    """Keep the perturbations and losses of the next step: those of layer 1, and pairs of losses."""
    moved, losses = [], []
    move, loss = rule.optimizers[0].move, rule.network.loss

    def moving(change):
        moved.append(change.clone())
        move(change)

    def losing(images, labels):
        losses.append(loss(images, labels))
        return losses[-1]

    rule.optimizers[0].move, rule.network.loss = moving, losing
    return moved, losses


@pytest.mark.parametrize("form", ["ranks", "pepg"])
def test_the_estimate_is_the_formula_of_what_was_written_and_read(form):
    """The perturbations that are drawn again are those that were written; ranks by hand."""
    chips = make_chips()
    rule = make_rule(chips, form=form, pairs=5, size=0.05)
    moved, losses = record(rule)
    gradients = capture_gradients(rule)
    rule.step(*make_batch())
    noise = [change / 0.05 for change in moved[::3]]
    for chip in range(2):
        each = [loss[chip].item() for loss in losses]
        worth = [sorted(each).index(loss) / 9 - 0.5 for loss in each] if form == "ranks" else each
        sums = sum((worth[2 * k] - worth[2 * k + 1]) * noise[k][chip] for k in range(5)) / (10 * 0.05)
        torch.testing.assert_close(gradients[0][chip], sums, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_pepg_finds_the_gradient_and_ranks_its_direction():
    """Ranks of a normal variable correlate with it by sqrt(3 / pi), which costs 2 % of the cosine."""
    chips, batch = make_chips(**SMALL), batch_of(8)
    truth = flat(true_gradients(chips, *batch, torch.tanh))
    assert_unbiased(
        estimates(make_rule(chips, form="pepg", size=0.01, size_learning_rate=1e-9), *batch, steps=20), truth
    )
    found = estimates(make_rule(chips, size=0.01, pairs=32), *batch, steps=5)
    assert torch.cosine_similarity(found.mean(0), truth, 0) > 1 / (1 + 19 / 160) ** 0.5 * (3 / torch.pi) ** 0.5 - 0.04


@pytest.mark.slow
def test_the_square_of_the_cosine_follows_the_law():
    """K / (K + P + 1) for K = 2 Gaussian pairs, which 18 weights and a finite sample leave within its error."""
    chips, batch = make_chips(**SMALL), batch_of(8)
    found = estimates(make_rule(chips, form="pepg", size=0.01, size_learning_rate=1e-9, pairs=2), *batch, steps=100)
    assert_squared_cosine(found, flat(true_gradients(chips, *batch, torch.tanh)), 2 / (2 + 18 + 1))


def test_a_bad_read_counts_no_more_than_another():
    """A loss that is a thousand times too high leaves ranks as bounded as they were."""
    chips = make_chips(seeds=(0,))
    rule = make_rule(chips, pairs=4, size=0.05)
    loss, calls = rule.network.loss, []

    def spoiled(images, labels):
        calls.append(1)
        return loss(images, labels) * (1000 if len(calls) == 3 else 1)

    gradients = capture_gradients(rule)
    rule.network.loss = spoiled
    rule.step(*make_batch())
    assert gradients[0].abs().max() < 5 / 0.05 / 8 * 4  # four shares of at most 1, of noise within 5


def test_sizes_grow_where_large_perturbations_do_better_than_small_ones():
    """By the formula, of what was written and read; no size changes by more than a fifth."""
    chips = make_chips()
    rule = make_rule(chips, form="pepg", pairs=5, size=0.05, size_learning_rate=0.3, learning_rate=0.0)
    moved, losses = record(rule)
    rule.step(*make_batch())
    noise = [change / 0.05 for change in moved[:15:3]]
    pairs = torch.stack([(losses[2 * k] + losses[2 * k + 1]) / 2 for k in range(5)])
    worse = (pairs - pairs.mean(0)) / pairs.std(0, correction=0)
    change = -0.3 / 5 * sum(worse[k].view(-1, 1, 1) * (noise[k] ** 2 - 1) for k in range(5))
    assert change.abs().max() > 0.2
    torch.testing.assert_close(rule.sizes[0], 0.05 * (1 + change.clamp(-0.2, 0.2)), rtol=1e-3, atol=0)


def test_a_step_costs_two_reads_and_three_moves_a_pair_and_returns():
    chips = make_chips()
    rule = make_rule(chips, pairs=3)
    capture_gradients(rule)
    before = weights_of(chips)
    rule.step(*make_batch(10))
    for a, b in zip(before, weights_of(chips), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)
    assert counted(chips, "reads") == [60] * 3 and counted(chips, "writes") == [9] * 3
    assert rule.needs(rule.options) == Observable.LOSS


@pytest.mark.slow
@pytest.mark.parametrize("form", ["ranks", "pepg"])
def test_it_learns_a_small_problem(form):
    chips = make_chips(sizes=(6, 8), classes=2, seeds=(0,))
    rule = make_rule(chips, form=form, pairs=6, learning_rate=0.03)
    images, labels = make_batch(40, n_in=6, classes=2)
    images[:, 0] = labels.float() * 3
    losses = [rule.step(images, labels).item() for _ in range(50)]
    assert losses[-1] < 0.6 * losses[0]


def test_the_rate_of_sizes_that_nobody_learns_is_refused():
    with pytest.raises(ValidationError, match='form = "pepg" beside it, without which size_learning_rate does nothing'):
        EvolutionStrategies.Options(size_learning_rate=0.1)
