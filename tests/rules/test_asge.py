import pytest
import torch
from torch.nn.functional import cross_entropy

from analogff.network.normalization import length_normalize
from analogff.rules.asge import Asge
from tests.helpers.fakes import capture_gradients, counted, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = Asge.Options(**options)
    return Asge(chips.seal(Asge.needs(chosen)), chosen, seed=0)


def by_hand(rule, layer, y):
    """Return scores in float64; the width of 12 and a pool of 5 leave a group of two."""
    padded = torch.nn.functional.pad(y.square(), (0, -y.shape[-1] % 5)).unflatten(-1, (-1, 5))
    return (padded.mean(-1) + 1e-6).sqrt() @ rule.objectives[layer].projection.double().T


def test_updates_are_the_gradients_of_each_layers_own_cross_entropy():
    chips, (images, labels) = make_chips(sizes=(20, 16, 12)), make_batch()
    rule = make_rule(chips, slope="oracle", scale=3.0, pool=5)
    gradients = capture_gradients(rule)
    rule.step(images, labels)
    for chip in range(2):
        x = images.double()
        for n, weights in enumerate(weights_of(chips)[:-1]):
            x = length_normalize(x).detach()
            w = weights[chip].double().requires_grad_()
            y = torch.relu(x @ w.T)
            cross_entropy(by_hand(rule, n, y), labels).backward()
            torch.testing.assert_close(gradients[n][chip].double(), w.grad, rtol=1e-3, atol=1e-6)
            x = y.detach()


@pytest.mark.parametrize("vote", ["all", "last"])
def test_prediction_is_the_greatest_score(vote):
    rule = make_rule(make_chips(), vote=vote, pool=5)
    images, labels = make_batch(50)
    rule.step(images, labels)
    scores = [by_hand(rule, n, y.double()) for n, y in enumerate(rule.network.activities(images))]
    assert torch.equal(rule.predict(images), (sum(scores) if vote == "all" else scores[-1]).argmax(-1))


def test_the_projection_is_fixed_and_the_head_rests():
    chips = make_chips()
    rule = make_rule(chips, slope="assumed")
    before = [objective.projection.clone() for objective in rule.objectives]
    rule.step(*make_batch(10))
    for objective, was in zip(rule.objectives, before, strict=True):
        assert torch.equal(objective.projection, was)
    assert counted(chips, "reads") == [10, 10, 0]
