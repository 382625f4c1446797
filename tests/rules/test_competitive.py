import pytest
import torch
from torch.nn.functional import cross_entropy

from analogff.network.normalization import length_normalize
from analogff.rules.competitive import CompetitiveForward
from tests.helpers.fakes import capture_gradients, given_probes, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = CompetitiveForward.Options(**options)
    return CompetitiveForward(chips.seal(CompetitiveForward.needs(chosen)), chosen, seed=0)


def goodness(y):
    """Of ten groups of neighbors, the first of which have a neuron more where the width is no multiple of ten."""
    return torch.stack([group.square().mean(-1) for group in torch.tensor_split(y, 10, dim=-1)], dim=-1)


@pytest.mark.parametrize("widths", [(20, 30), (23, 17)])
@pytest.mark.parametrize("slope", ["oracle", "assumed"])
def test_updates_are_the_gradients_of_each_layers_own_cross_entropy(slope, widths):
    chips, (images, labels) = make_chips(sizes=(20, *widths)), make_batch()
    rule = make_rule(chips, slope=slope, scale=3.0)
    gradients = capture_gradients(rule)
    rule.step(images, labels)
    for chip in range(2):
        x = images
        for n, weights in enumerate(weights_of(chips)[:-1]):
            x = length_normalize(x).detach()
            w = weights[chip].clone().requires_grad_()
            y = torch.relu(x @ w.T)
            cross_entropy(3.0 * goodness(y), labels).backward()
            torch.testing.assert_close(gradients[n][chip], w.grad, rtol=1e-4, atol=1e-6)
            x = y


def test_the_mean_of_the_groups_is_the_mean_of_squares():
    """Where all groups are equally large, they share out the goodness of the layer."""
    rule = make_rule(make_chips(sizes=(20, 40)), slope="assumed", scale=1.0)
    (y,) = rule.network.activities(make_batch()[0])
    torch.testing.assert_close(rule.objectives[0].scores(y).mean(-1), y.square().mean(-1))


@pytest.mark.parametrize("vote", ["all", "last"])
def test_prediction_is_the_group_with_most_goodness(vote):
    rule = make_rule(make_chips(sizes=(20, 23, 17)), slope="assumed", vote=vote)
    images, _ = make_batch(50)
    each = [goodness(y) for y in rule.network.activities(images)]
    assert torch.equal(rule.predict(images), (sum(each) if vote == "all" else each[-1]).argmax(-1))
    assert torch.equal(rule.answers_by_layer(images), torch.stack([g.argmax(-1) for g in each]))


def test_a_layer_that_is_too_narrow_is_refused():
    with pytest.raises(ValueError, match="Expected at least 10 neurons in layer 2, one a class. Got 9. Make it wider"):
        make_rule(make_chips(sizes=(20, 10, 9)))


@pytest.mark.parametrize(("slope", "reads"), [("assumed", 1), ("probed", 3)])
def test_reads_of_a_step(slope, reads):
    chips = make_chips()
    make_rule(chips, **given_probes(slope)).step(*make_batch(10))
    assert [chips.ledger.of(name).reads for name in chips.names] == [10 * reads, 10 * reads, 0]


def test_it_learns():
    rule = make_rule(make_chips(sizes=(20, 64, 64), classes=4), slope="assumed", learning_rate=0.01)
    images, labels = make_batch(40, classes=4)
    images[torch.arange(40), 4 + labels * 4] += 2  # something to learn
    for _ in range(100):
        rule.step(images, labels)
    assert (rule.predict(images) == labels).float().mean() > 0.95
