import pytest
import torch
from torch.nn.functional import cross_entropy

from analogff.network.normalization import length_normalize
from analogff.rules.mono_forward import MonoForward
from tests.helpers.fakes import capture_gradients, given_probes, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = MonoForward.Options(**options)
    return MonoForward(chips.seal(MonoForward.needs(chosen)), chosen, seed=0)


@pytest.mark.parametrize("slope", ["oracle", "assumed"])
def test_updates_are_the_gradients_of_each_layers_own_cross_entropy(slope):
    """Those of the layers and those of the projections."""
    chips, (images, labels) = make_chips(), make_batch()
    rule = make_rule(chips, slope=slope, scale=3.0)
    gradients, learnt = capture_gradients(rule), {}
    for n, projection in enumerate(rule.objectives):
        projection.optimizer.step = lambda g, rate, n=n: torch.zeros_like(learnt.setdefault(n, g.clone()))
    rule.step(images, labels)
    for chip in range(2):
        x = images
        for n, weights in enumerate(weights_of(chips)[:-1]):
            x = length_normalize(x).detach()
            w, m = weights[chip].clone().requires_grad_(), rule.objectives[n].weights[chip].clone().requires_grad_()
            y = torch.relu(x @ w.T)
            cross_entropy(3.0 * y @ m.T, labels).backward()
            torch.testing.assert_close(gradients[n][chip], w.grad, rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(learnt[n][chip], m.grad, rtol=1e-4, atol=1e-6)
            x = y


def test_projections_follow_torchs_adam_and_fade():
    chips = make_chips()
    rule = make_rule(chips, slope="assumed", learning_rate=0.0, projection_learning_rate=0.01)  # resting layers
    images, labels = make_batch()
    y = rule.network.activities(images)[1]
    m = rule.objectives[1].weights.clone().requires_grad_()
    optimizer = torch.optim.Adam([m], lr=0.01)
    for progress, rate in ((0.0, 0.01), (0.4, 0.01), (0.75, 0.005)):
        rule.advance(progress)
        rule.step(images, labels)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        sum(cross_entropy(y[chip] @ m[chip].T, labels) for chip in range(2)).backward()
        optimizer.step()
        torch.testing.assert_close(rule.objectives[1].weights, m.detach(), rtol=1e-4, atol=1e-5)


def test_projections_do_not_follow_the_neighbors():
    alone, together = (make_rule(make_chips(seeds=seeds), slope="assumed") for seeds in ((1,), (0, 1, 2)))
    for _ in range(3):
        for rule in (alone, together):
            rule.step(*make_batch())
    for one, three in zip(alone.objectives, together.objectives, strict=True):
        assert torch.equal(one.weights[0], three.weights[1])


@pytest.mark.parametrize("vote", ["all", "last"])
def test_prediction_is_the_greatest_score(vote):
    rule = make_rule(make_chips(), slope="assumed", vote=vote)
    images, labels = make_batch(50)
    rule.step(images, labels)
    scores = [
        torch.einsum("cbj,ckj->cbk", y, projection.weights)
        for y, projection in zip(rule.network.activities(images), rule.objectives, strict=True)
    ]
    assert torch.equal(rule.predict(images), (sum(scores) if vote == "all" else scores[-1]).argmax(-1))


@pytest.mark.parametrize(("slope", "reads"), [("assumed", 1), ("probed", 3)])
def test_reads_of_a_step(slope, reads):
    """One an image, twice where probed; the projections are arithmetic, and the head rests."""
    chips = make_chips()
    make_rule(chips, **given_probes(slope)).step(*make_batch(10))
    assert [chips.ledger.of(name).reads for name in chips.names] == [10 * reads, 10 * reads, 0]


def test_projections_survive_a_checkpoint():
    rules = [make_rule(make_chips(), slope="assumed") for _ in range(2)]
    rules[0].step(*make_batch())
    rules[1].load_state_dict(rules[0].state_dict())
    for mine, theirs in zip(*(rule.objectives for rule in rules), strict=True):
        assert torch.equal(mine.weights, theirs.weights)
    assert [projection.optimizer.steps for projection in rules[1].objectives] == [1, 1]


def test_it_learns():
    rule = make_rule(make_chips(sizes=(20, 64, 64), classes=4), slope="assumed", learning_rate=0.01)
    images, labels = make_batch(40, classes=4)
    images[torch.arange(40), 4 + labels * 4] += 2  # something to learn
    for _ in range(100):
        rule.step(images, labels)
    assert (rule.predict(images) == labels).float().mean() > 0.95
