import pytest
import torch

from analogff.device import Observable
from analogff.forward_forward.labels import overlay
from analogff.forward_forward.losses import LOSSES
from analogff.normalise import length_normalise
from analogff.rules.forward_forward import ForwardForward
from tests.fakes import capture_gradients, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = ForwardForward.Options(**options)
    return ForwardForward(chips.seal(ForwardForward.needs(chosen)), chosen, seed=0)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("slope", ["oracle", "assumed"])
def test_updates_are_the_gradients_of_each_layers_own_loss(loss, slope):
    """On an ideal rectifier both slopes must give what autograd gives, layer by layer."""
    chips = make_chips()
    rule = make_rule(chips, loss=loss, slope=slope, negatives="random", scale=3.0)
    gradients, (images, labels) = capture_gradients(rule), make_batch()
    wrong = {}
    draw = rule._wrong_labels
    rule._wrong_labels = lambda *a: wrong.setdefault("labels", draw(*a))
    rule.step(images, labels)

    for chip in range(2):
        x = torch.cat([overlay(images, labels, 10), overlay(images, wrong["labels"], 10)])
        for n, weights in enumerate(weights_of(chips)[:-1]):
            x = length_normalise(x).detach()
            w = weights[chip].clone().requires_grad_()
            y = torch.relu(x @ w.T)
            positive, negative = y.square().mean(-1).chunk(2)
            LOSSES[loss](positive, negative, 3.0, 1.0).loss.mean().backward()
            torch.testing.assert_close(gradients[n][chip], w.grad, rtol=1e-4, atol=1e-6)
            x = y


def test_probed_descends_a_non_monotone_device_where_assumed_does_not():
    def cosine(slope):
        chips = make_chips(sizes=(20, 64), curve=lambda a: torch.sin(2 * a).square())
        small = {"probe": 0.1} if slope == "probed" else {}
        rules = [make_rule(chips, slope=slope, negatives="random", **small)]
        rules.append(make_rule(chips, slope="oracle", negatives="random"))
        found = [capture_gradients(rule) for rule in rules]
        for rule in rules:
            rule.step(*make_batch(200))
        return torch.cosine_similarity(found[0][0].flatten(), found[1][0].flatten(), 0).item()

    assert cosine("probed") > 0.99
    assert cosine("assumed") < 0.6


def test_the_head_learns_the_gradient_of_its_cross_entropy():
    chips = make_chips()
    rule = make_rule(chips, slope="assumed")
    gradients, (images, labels) = capture_gradients(rule), make_batch()
    from analogff.forward_forward.labels import overlay_neutral

    x = length_normalise(rule.network.activities(overlay_neutral(images, 10))[-1])
    rule.step(images, labels)
    w = weights_of(chips)[-1].requires_grad_()
    logits = torch.einsum("cbi,cji->cbj", x, w)
    loss = sum(torch.nn.functional.cross_entropy(z, labels) for z in logits)
    torch.testing.assert_close(gradients[2], torch.autograd.grad(loss, w)[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("slope", "level"), [("assumed", "ACTIVITY"), ("probed", "PROBE"), ("oracle", "ORACLE")])
def test_it_declares_what_it_must_see_and_lives_on_no_more(slope, level):
    options = ForwardForward.Options(slope=slope)
    assert ForwardForward.needs(options) == Observable[level]
    make_rule(make_chips(), slope=slope).step(*make_batch())


@pytest.mark.parametrize(("slope", "reads"), [("assumed", 3), ("probed", 6)])
def test_reads_of_a_step(slope, reads):
    """Positive, negative and neutral, twice where probed; the head once; negatives of a neutral pass unprobed."""
    chips = make_chips()
    make_rule(chips, slope=slope).step(*make_batch(10))
    neutral = 1
    per_layer = neutral + (reads - 1 if slope == "assumed" else 4)
    assert chips.ledger.of("layer 1").reads == 10 * per_layer
    assert chips.ledger.of("head").reads == 10


def test_prediction_by_goodness_is_the_label_with_most_goodness():
    chips = make_chips()
    rule = make_rule(chips, slope="assumed")
    images, _ = make_batch(7)
    best, answer = torch.full((2, 7), -1.0), torch.zeros(2, 7, dtype=torch.int64)
    for label in range(10):
        total = sum(rule.goodness(images, torch.full((7,), label)))
        answer = torch.where(total > best, label, answer)
        best = torch.maximum(best, total)
    assert torch.equal(rule.predict(images), answer)


def test_it_separates_the_goodness_of_right_and_wrong_labels():
    chips = make_chips(sizes=(20, 64, 64), classes=4)
    rule = make_rule(chips, slope="assumed", rate=0.01)
    images, labels = make_batch(40, classes=4)
    images[torch.arange(40), 4 + labels * 4] += 2  # something to learn
    for _ in range(200):
        rule.step(images, labels)
    for good, bad in zip(rule.goodness(images, labels), rule.goodness(images, (labels + 1) % 4), strict=True):
        assert (good > bad).float().mean() > 0.9
    assert (rule.predict(images) == labels).float().mean() > 0.9
