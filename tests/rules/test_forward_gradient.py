import pytest
import torch

from analogff.network.normalization import length_normalize
from analogff.rules.forward_gradient import ForwardGradient
from tests.helpers.fakes import capture_gradients, counted, make_batch, make_chips, weights_of
from tests.helpers.gradients import assert_squared_cosine, assert_unbiased, estimates

SIZES, GROUPS = (5, 6, 4), 2


def make_rule(chips, seed=0, **options):
    chosen = ForwardGradient.Options(**{"groups": GROUPS, "projection_learning_rate": 0.0} | options)
    return ForwardGradient(chips.seal(ForwardGradient.needs(chosen)), chosen, seed=seed)


def small(batch=4):
    chips = make_chips(sizes=SIZES, classes=3, seeds=(0,), curve=torch.tanh)
    return chips, make_batch(batch, n_in=5, classes=3)


def losses(rule, chips, images, labels, weights):
    """Return the sum of the groups' losses of each layer, of which no later one is to move an earlier one."""
    x, found = length_normalize(images.double()), []
    for w, objective in zip(weights, rule.objectives, strict=False):
        y = torch.tanh(x @ w.T)
        groups = zip(y.split(objective.sizes, -1), objective.weights, strict=True)
        found.append(sum(torch.nn.functional.cross_entropy(g @ m[0].double().T, labels) for g, m in groups))
        x = length_normalize(y).detach()
    return found


def truths(rule, chips, images, labels):
    weights = [w[0].double().requires_grad_() for w in weights_of(chips)[:-1]]
    found = torch.autograd.grad(sum(losses(rule, chips, images, labels, weights)), weights)
    return torch.cat([g.flatten() for g in found])


@pytest.mark.slow
def test_the_mean_estimate_is_the_gradient_of_the_local_losses():
    chips, batch = small()
    rule = make_rule(chips, size=0.02, directions=10)
    assert_unbiased(estimates(rule, *batch, steps=60), truths(rule, chips, *batch))


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "neurons"), [(1, 6), (3, 2)])
def test_the_variance_is_that_of_the_neurons_of_a_group(groups, neurons):
    """cos^2 of one image's estimate at one direction, by the sums of a group, is one over its neurons."""
    chips, batch = small(1)
    rule = make_rule(chips, size=0.02, groups=groups)
    truth = truths(rule, chips, *batch)[: 5 * neurons]
    assert_squared_cosine(estimates(rule, *batch, steps=250)[:, : 5 * neurons], truth, 1 / neurons)


def test_groups_score_apart_and_answer_together():
    chips, (images, _) = small()
    rule = make_rule(chips, groups=3)
    (objective, _), y = rule.objectives, torch.randn(1, 4, 6)
    whole = torch.cat([w[0] for w in objective.weights], dim=1)
    torch.testing.assert_close(objective.scores(y)[0], y[0] @ whole.T)
    spread = objective.spread(torch.tensor([[[1.0, 2.0, 3.0]]]))
    assert spread.tolist() == [[[1, 1, 2, 2, 3, 3]]]
    assert rule.answers_by_layer(images).shape == (2, 1, 4)


def test_projections_learn_by_their_own_gradient():
    """Descending the true local loss, of which they are half: without any write it falls."""
    chips, batch = small(60)
    rule = make_rule(chips, projection_learning_rate=0.03, learning_rate=0.0, size=0.05)
    found = [rule.step(*batch).item() for _ in range(60)]
    assert found[-1] < 0.97 * found[0]


@pytest.mark.parametrize(("directions", "reads"), [(1, 3), (4, 9)])
def test_reads_of_a_step_are_those_of_the_hidden_layers(directions, reads):
    chips = make_chips()
    make_rule(chips, directions=directions).step(*make_batch(10))
    assert counted(chips, "reads") == [10 * reads, 10 * reads, 0]
    assert counted(chips, "writes") == [1, 1, 0]


def test_the_two_reads_have_noise_of_their_own():
    chips, batch = make_chips(seeds=(0,), noise=0.3), make_batch()
    rule = make_rule(chips, size=1e-4)
    gradients = capture_gradients(rule)
    rule.step(*batch)
    assert gradients[0].abs().max() > 10  # noise over the size; without it slopes are of order 1


def test_it_learns_a_small_problem():
    chips = make_chips(sizes=(6, 16), classes=2, seeds=(0,))
    rule = make_rule(chips, groups=4, projection_learning_rate=0.01, learning_rate=0.02)
    images, labels = make_batch(60, n_in=6, classes=2)
    labels = (images[:, 0] > images[:, 1]).long()
    found = [rule.step(images, labels).item() for _ in range(60)]
    assert found[-1] < 0.6 * found[0]
    assert (rule.predict(images) == labels).float().mean() > 0.85


def test_more_groups_than_neurons_are_refused():
    with pytest.raises(ValueError, match="Expected at least 7 neurons in layer 2, one a group. Got 6."):
        ForwardGradient.layer_shapes(ForwardGradient.Options(groups=7), 20, (9, 6), 10)
