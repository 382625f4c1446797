import pytest
import torch

from analogff.device import Observable
from analogff.network.normalization import length_normalize
from analogff.rules.ffzero import FFzero
from tests.helpers.fakes import capture_gradients, counted, make_batch, make_chips, weights_of
from tests.helpers.gradients import assert_squared_cosine, assert_unbiased, estimates

SMALL = {"sizes": (4, 5, 3), "classes": 3, "seeds": (0,), "curve": torch.tanh}  # 20 and 15 weights


def make_rule(chips, **options):
    chosen = FFzero.Options(**options)
    return FFzero(chips.seal(FFzero.needs(chosen)), chosen, seed=0)


def truths(rule, chips, images, labels, scale=8.0):
    """Return the gradient of each layer's own loss, from cosines as they are written."""
    x, found = length_normalize(images.double()), []
    for w, objective in zip(weights_of(chips)[:-1], rule.objectives, strict=True):
        w = w[0].double().requires_grad_()
        y = torch.tanh(x @ w.T)
        directions = torch.nn.functional.normalize(objective.directions.double(), dim=1)
        cosines = torch.nn.functional.normalize(y, dim=1) @ directions.T
        loss = torch.nn.functional.cross_entropy(scale * cosines, labels)
        found += torch.autograd.grad(loss, w)
        x = length_normalize(y).detach()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("distribution", ["signs", "gaussian"])
def test_the_mean_estimate_is_the_gradient_of_each_layers_loss(distribution):
    chips, batch = make_chips(**SMALL), make_batch(8, n_in=4, classes=3)
    rule = make_rule(chips, directions=8, distribution=distribution)
    truth = torch.cat([g.flatten() for g in truths(rule, chips, *batch)])
    assert_unbiased(estimates(rule, *batch, steps=25), truth)


def test_the_variance_of_a_layer_is_that_of_its_weights():
    """cos^2 of one direction is one over the weights of the layer, also behind a layer that is moved at once."""
    chips, batch = make_chips(**SMALL), make_batch(8, n_in=4, classes=3)
    rule = make_rule(chips, directions=1, size=1e-3)
    found, (first, second) = estimates(rule, *batch, steps=120), truths(rule, chips, *batch)
    assert_squared_cosine(found[:, :20], first.flatten(), 1 / 20)
    assert_squared_cosine(found[:, 20:], second.flatten(), 1 / 15)


def test_no_layer_hears_of_another_ones_directions():
    """A layer is read with the inputs that it had before anything was moved."""
    chips = make_chips(**SMALL)
    rule, heard, measure = make_rule(chips, directions=2), [], chips.devices[1].measure
    chips.devices[1].measure = lambda x: heard.append(x.clone()) or measure(x)
    rule.step(*make_batch(8, n_in=4, classes=3))
    assert len(heard) == 5 and all(torch.equal(x, heard[0]) for x in heard)


def test_reads_and_writes_of_a_step_and_the_way_back():
    chips = make_chips()
    rule = make_rule(chips, directions=3)
    capture_gradients(rule)
    before = weights_of(chips)
    rule.step(*make_batch(10))
    for a, b in zip(before, weights_of(chips), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)
    assert counted(chips, "reads") == [70, 70, 0] and counted(chips, "writes") == [9, 9, 0]
    assert rule.needs(rule.options) == Observable.ACTIVITY


@pytest.mark.slow
def test_it_learns_a_small_problem_and_answers_by_the_nearest_prototype():
    chips = make_chips(sizes=(6, 12), classes=2, seeds=(0,))
    rule = make_rule(chips, directions=6, learning_rate=0.02)
    images, labels = make_batch(40, n_in=6, classes=2)
    images[:, 0] = labels.float() * 3
    losses = [rule.step(images, labels).item() for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
    y = rule.network.activities(images)[0]
    cosines = torch.nn.functional.normalize(y[0], dim=1) @ rule.objectives[0].directions.T
    assert torch.equal(rule.predict(images)[0], cosines.argmax(1))
