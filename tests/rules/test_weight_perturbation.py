import dataclasses

import numpy as np
import pytest
import torch

from analogff.device import BlackBoxError, Observable
from analogff.rules.weight_perturbation import WeightPerturbation
from tests.helpers.fakes import Curved, capture_gradients, counted, make_batch, make_chips, weights_of
from tests.helpers.gradients import assert_squared_cosine, assert_unbiased, estimates, flat, true_gradients


class ShortTrains(Curved):
    """Cuts each change to what a write can do: ``most``, printed, one number or one a chip."""

    def __init__(self, n_in, n_out, *, seed, most):
        super().__init__(n_in, n_out, seed=seed)
        self.most = torch.as_tensor(most).reshape(-1, 1, 1)
        self.datasheet = dataclasses.replace(self.datasheet, change_max=most)

    def pulse(self, change):
        super().pulse(change.clamp(-self.most, self.most))


def make_rule(chips, seed=0, **options):
    chosen = WeightPerturbation.Options(**options)
    return WeightPerturbation(chips.seal(WeightPerturbation.needs(chosen)), chosen, seed=seed)


def mean_cosine(parameters_wide, directions, repeats=40):
    cosines = []
    for seed in range(repeats):
        chips = make_chips(sizes=(20, parameters_wide), seeds=(seed,))
        rule = make_rule(chips, seed=seed, directions=directions, size=1e-3)
        gradients, batch = capture_gradients(rule), make_batch()
        rule.step(*batch)
        estimate = torch.cat([gradients[n].flatten() for n in range(2)])
        cosines.append(torch.cosine_similarity(estimate, flat(true_gradients(chips, *batch)).float(), 0).abs().item())
    return np.mean(cosines), np.std(cosines) / repeats**0.5


@pytest.mark.slow
def test_the_cosine_follows_the_law_of_random_directions():
    """cos = 1/sqrt(1 + (P-1)/K) for many directions: slope 1/2 against K while K << P."""
    directions = np.array([4, 16, 64])
    means, errors = zip(*(mean_cosine(16, k, repeats=12) for k in directions), strict=True)
    size = 16 * 20 + 10 * 16
    expected = 1 / np.sqrt(1 + (size - 1) / directions)
    # |cos| of few directions is a little above the law's root mean square; four standard errors and 10 %.
    assert np.all(np.abs(np.array(means) - expected) < 4 * np.array(errors) + 0.1 * expected)


VARIANTS = [{}, {"sides": "one"}, {"distribution": "gaussian"}, {"local": True, "sides": "one"}]
SMALL = {"sizes": (4, 3), "classes": 2, "seeds": (0,), "curve": torch.tanh}  # 18 weights, 6 of them in the head


@pytest.mark.slow
@pytest.mark.parametrize("told", VARIANTS)
def test_the_mean_estimate_is_the_gradient(told):
    """One-sided differences have a bias of first order: there the step is a tenth of it."""
    chips, batch = make_chips(**SMALL), make_batch(8, n_in=4, classes=2)
    rule = make_rule(chips, directions=8, size=1e-3 if "sides" in told else 1e-2, **told)
    assert_unbiased(estimates(rule, *batch, steps=20), flat(true_gradients(chips, *batch, torch.tanh)))


@pytest.mark.parametrize("told", [{}, {"sides": "one"}, {"distribution": "gaussian"}])
def test_the_square_of_the_cosine_is_one_over_the_number_of_weights(told):
    """Of one direction, exactly, whatever its distribution."""
    chips, batch = make_chips(**SMALL), make_batch(8, n_in=4, classes=2)
    rule = make_rule(chips, directions=1, size=1e-3, **told)
    found = estimates(rule, *batch, steps=120)
    assert_squared_cosine(found, flat(true_gradients(chips, *batch, torch.tanh)), 1 / 18)


@pytest.mark.slow
def test_a_layer_moved_alone_has_the_variance_of_its_own_weights():
    """What other layers' directions do to the loss is noise to the head, unless it is moved alone."""
    chips, batch = make_chips(**SMALL), make_batch(8, n_in=4, classes=2)
    first, head = (g.flatten() for g in true_gradients(chips, *batch, torch.tanh))
    for local, noise in ((True, 0.0), (False, first.square().sum() / head.square().sum())):
        rule = make_rule(chips, directions=1, size=1e-3, local=local)
        found = estimates(rule, *batch, steps=80)[:, -6:]
        squares = (found - head).square().sum(1) / head.square().sum()
        expected = 6 - 1 + 6 * float(noise)  # (P - 1) |g|^2 of its own, and P |g|^2 of the others
        assert squares.mean().item() == pytest.approx(expected, abs=4 * squares.std().item() / 80**0.5)


@pytest.mark.parametrize(
    ("told", "reads", "writes"),
    [
        ({"sides": "one"}, 40, [7] * 3),
        ({"local": True}, 180, [10] * 3),
        ({"local": True, "sides": "one"}, 100, [7] * 3),
    ],
)
def test_reads_and_writes_of_other_forms(told, reads, writes):
    chips = make_chips()
    make_rule(chips, directions=3, **told).step(*make_batch(10))
    assert counted(chips, "reads") == [reads] * 3 and counted(chips, "writes") == writes


def test_the_weights_come_back_to_where_they_were():
    chips = make_chips()
    rule = make_rule(chips)
    capture_gradients(rule)
    before = weights_of(chips)
    rule.step(*make_batch())
    for a, b in zip(before, weights_of(chips), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("most", [0.004, 0.0099, 0.03, torch.tensor([0.0045, 0.021])])
def test_moves_that_one_write_cannot_do_are_split_and_come_back(most):
    chips = make_chips(model=ShortTrains, most=most)
    rule = make_rule(chips, directions=1, size=0.01)
    gradients, before, batch = capture_gradients(rule), weights_of(chips), make_batch()
    rule.step(*batch)
    for a, b in zip(before, weights_of(chips), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)  # rounding of some ten sums near 1
    writes = [2 * -(-0.01 // m) + -(-0.02 // m) for m in torch.as_tensor(most).expand(2).tolist()]
    assert chips.ledger.of("layer 1").writes.tolist() == writes
    free = make_rule(make_chips(), directions=1, size=0.01)
    expected = capture_gradients(free)
    free.step(*batch)
    torch.testing.assert_close(gradients[0], expected[0], rtol=1e-3, atol=1e-3)  # costs near 2.3, over 0.02


def test_the_two_reads_have_noise_of_their_own():
    """Sharing the noise between both sides of a difference would be cheating: its variance must be there."""
    chips = make_chips(seeds=(0,), noise=0.3)
    rule = make_rule(chips, directions=1, size=1e-6)
    gradients = capture_gradients(rule)
    rule.step(*make_batch())
    assert gradients[0].abs().max() > 100  # two equal reads would differ by about the slope, of order 1


def test_reads_and_pulses_of_a_step():
    chips = make_chips()
    rule = make_rule(chips, directions=3)
    rule.step(*make_batch(10))
    assert [chips.ledger.of(n).reads for n in chips.names] == [60, 60, 60]
    cells = 16 * 20
    assert chips.ledger.of("layer 1").pulses.tolist() == [10 * cells] * 2  # 3 moves a direction, and the update


def test_it_sees_one_number_and_no_more():
    rule = make_rule(make_chips())
    assert rule.needs(rule.options) == Observable.LOSS
    for peek in (rule.network.activities, rule.network.output):
        with pytest.raises(BlackBoxError, match="LOSS"):
            peek(make_batch()[0])


@pytest.mark.slow
def test_it_learns_a_small_problem():
    chips = make_chips(sizes=(6, 8), classes=2, seeds=(0,))
    rule = make_rule(chips, directions=8, learning_rate=0.01)
    images, labels = make_batch(40, n_in=6, classes=2)
    images[:, 0] = labels.float() * 3
    losses = [rule.step(images, labels).item() for _ in range(150)]
    assert losses[-1] < 0.5 * losses[0]
