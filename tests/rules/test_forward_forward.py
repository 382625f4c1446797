import math

import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import one_hot, softplus

from analogff.device import Observable
from analogff.forward_forward.losses import LOSSES
from analogff.network import LayerSpec, fabricate_wired
from analogff.network.normalization import length_normalize
from analogff.rules.forward_forward import ForwardForward
from tests.helpers.fakes import Curved, capture_gradients, given_probes, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = ForwardForward.Options(**options)
    return ForwardForward(chips.seal(ForwardForward.needs(chosen)), chosen, seed=0)


def make_wired(sizes=(20, 16, 12), classes=10, seeds=(0, 1), curve=torch.relu, noise=0.0, **options):
    """Return chips with as many inputs as the labels need."""
    shapes = ForwardForward.layer_shapes(ForwardForward.Options(**options), sizes[0], sizes[1:], classes)
    specs = [LayerSpec(Curved, {"curve": curve, "noise": noise})] * (len(sizes) - 1)
    return fabricate_wired(specs, shapes, seeds=seeds)


def watch(rule):
    """Keep the labels of a step, true ones first, and its silent lines."""
    kept, draw = {}, rule._candidates

    def candidates(images, labels, batch):
        kept["labels"], kept["masks"] = draw(images, labels, batch), batch.masks
        return kept["labels"]

    rule._candidates = candidates
    return kept


def labeled(images, labels, place, strength):
    """Return images with a label, and the label's lines; ``labels`` are ``(variants, batch)``."""
    lines = strength * one_hot(labels.flatten(), 10).float()
    pixels = images.repeat(len(labels), 1)
    return torch.cat([lines, pixels if place != "overlay" else pixels[:, 10:]], 1), lines


def compared(name, positive, negative, scale, theta):
    """Write each loss out."""
    if name == "hinton":
        return softplus(scale * (theta - positive)) + softplus(scale * (negative - theta))
    if name == "scff":
        return (
            compared("hinton", positive, negative, scale, theta)
            - softplus(scale * (negative - theta))
            + (softplus(scale * (negative - theta - 0.7)) + 0.2 * positive.abs())
        )
    d = scale * (negative - positive)
    return softplus(d) if name == "symba" else d * torch.sigmoid(d)


EACH_OPTION = [
    {"goodness": "sum", "scale": 0.2},
    {"goodness": "cosine"},
    {"direction": "minimize"},
    {"loss": "hinton", "theta": (0.4, 0.6)},
    {"loss": "scff", "theta": 0.3, "slack": 0.7, "penalty": 0.2},
    {"negatives": "hard"},
    {"negatives": "goodness"},
    {"negatives": "all"},
    {"labels": "lines"},
    {"labels": "rows", "label_strength": 2.0},
    {"label_strength": 0.5},
    {"dropout": 0.5, "input_dropout": 0.2},
]
SEVERAL = [
    {"goodness": "cosine", "loss": "hinton", "theta": 0.1, "direction": "minimize", "labels": "lines", "scale": 4.0},
    {"goodness": "sum", "loss": "hinton", "theta": (0.5, 0.2), "direction": "minimize", "scale": 0.1},
    {"loss": "scff", "theta": (0.3, 0.4), "slack": 0.7, "penalty": 0.2, "direction": "minimize", "negatives": "all"},
    {"labels": "rows", "negatives": "all", "dropout": 0.5, "input_dropout": 0.2, "goodness": "cosine"},
    {"labels": "rows", "negatives": "goodness", "vote_from": 2, "dropout": 0.3, "direction": "minimize"},
]


@pytest.mark.parametrize("slope", ["oracle", "assumed"])
@pytest.mark.parametrize("options", [*({"loss": name} for name in LOSSES if name != "scff"), *EACH_OPTION, *SEVERAL])
def test_updates_are_the_gradients_of_each_layers_own_loss(options, slope):
    """On an ideal rectifier both slopes must give what autograd gives, layer by layer."""
    options = {"negatives": "random", "scale": 3.0} | options
    chips = make_wired(**options)
    rule = make_rule(chips, slope=slope, **options)
    gradients, kept, (images, labels) = capture_gradients(rule), watch(rule), make_batch()
    told = rule.step(images, labels)
    theta, place = rule.options.theta, rule.options.labels
    theta = theta if isinstance(theta, tuple) else (theta, theta)
    sign = -1 if rule.options.direction == "minimize" else 1

    for chip in range(2):
        candidates = kept["labels"] if kept["labels"].dim() == 2 else kept["labels"][chip]
        assert torch.equal(candidates[0], labels)
        x, lines = labeled(images, candidates, place, rule.options.label_strength)
        x, losses = length_normalize(x), []
        for n, weights in enumerate(weights_of(chips)[:-1]):
            if kept["masks"][n] is not None:
                x = (x.view(len(candidates), 30, -1) * kept["masks"][n]).flatten(0, 1)
            if n and place == "rows":
                x = torch.cat([lines, x], 1)
            w = weights[chip].clone().requires_grad_()
            y = torch.relu(x @ w.T)
            width = y.shape[1] if rule.options.goodness == "sum" else 1
            if rule.options.goodness == "cosine":
                goodness = torch.cosine_similarity(y, rule.objectives[n].measure.direction[None])
            else:
                goodness = y.square().sum(-1) / (1 if width > 1 else y.shape[1])
            positive, *negatives = (sign * goodness).chunk(len(candidates))
            at = sign * theta[n] * width
            losses.append(
                sum(compared(rule.options.loss, positive, g, rule.options.scale, at).mean() for g in negatives)
                / len(negatives)
            )
            (expected,) = torch.autograd.grad(losses[-1], w)
            torch.testing.assert_close(gradients[n][chip], expected, rtol=1e-4, atol=1e-6)
            x = length_normalize(y).detach()
        torch.testing.assert_close(told[chip], torch.stack(losses).mean(), rtol=1e-4, atol=1e-6)


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
    rule = make_rule(chips, slope="assumed", label_strength=1.0)
    gradients, (images, labels) = capture_gradients(rule), make_batch()
    from analogff.forward_forward.labels import overlay_neutral

    x = length_normalize(rule.network.activities(overlay_neutral(images, 10))[-1])
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


@pytest.mark.parametrize(("slope", "reads"), [("assumed", 2), ("probed", 6)])
def test_reads_of_a_step(slope, reads):
    """Positive and negative, three times where probed; neutral once, and the head."""
    chips = make_chips()
    make_rule(chips, **given_probes(slope)).step(*make_batch(10))
    assert chips.ledger.of("layer 1").reads == 10 * (reads + 1)
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


@pytest.mark.slow
def test_it_separates_the_goodness_of_right_and_wrong_labels():
    chips = make_chips(sizes=(20, 64, 64), classes=4)
    rule = make_rule(chips, slope="assumed", learning_rate=0.01)
    images, labels = make_batch(40, classes=4)
    images[torch.arange(40), 4 + labels * 4] += 2  # something to learn
    for _ in range(200):
        rule.step(images, labels)
    for good, bad in zip(rule.goodness(images, labels), rule.goodness(images, (labels + 1) % 4), strict=True):
        assert (good > bad).float().mean() > 0.9
    assert (rule.predict(images) == labels).float().mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, *EACH_OPTION, *SEVERAL, {"peer_strength": 0.03}, {"prediction": "both"}])
def test_a_chips_numbers_are_the_same_alone_and_in_any_bank(options):
    def numbers(seeds):
        chips = make_wired(seeds=seeds, curve=torch.tanh, noise=0.0, **options)
        rule = make_rule(chips, **options)
        losses = [rule.step(*make_batch(seed=n)) for n in range(2)]
        images, labels = make_batch(seed=9)
        return [*losses, *weights_of(chips), rule.predict(images), *rule.goodness(images, labels)]

    for bank, alone in zip(numbers((3, 4, 5)), numbers((4,)), strict=True):
        assert torch.equal(bank[1], alone[0])


@pytest.mark.parametrize("options", [*EACH_OPTION, {"peer_strength": 0.03}, {"vote_from": 2, "negatives": "goodness"}])
def test_each_option_changes_the_numbers(options):
    base = {"loss": options["loss"], "negatives": "random"} if "loss" in options else {"negatives": "random"}
    base |= {"negatives": "goodness"} if "vote_from" in options else {}

    def trained(**chosen):
        rule = make_rule(make_wired(**chosen), **chosen)
        return torch.stack([rule.step(*make_batch(seed=n)) for n in range(3)])

    assert not torch.equal(trained(**base), trained(**(base | options)))


# images x (variants, neutral pass, tries of all labels); the neutral pass is never probed, nor is a try.
READS = [
    ({"negatives": "random"}, 2, 0),
    ({"negatives": "hard"}, 3, 1),
    ({"negatives": "goodness"}, 12, 0),
    ({"negatives": "goodness", "prediction": "both"}, 13, 1),
    ({"negatives": "all"}, 10, 0),
    ({"negatives": "all", "prediction": "head"}, 11, 1),
]


@pytest.mark.parametrize("place", ["overlay", "lines", "rows"])
@pytest.mark.parametrize(("options", "layer", "head"), READS)
def test_reads_of_a_step_by_hand(options, layer, head, place):
    chips = make_wired(labels=place, **options)
    make_rule(chips, slope="assumed", labels=place, **options).step(*make_batch(10))
    assert [chips.ledger.of(name).reads for name in chips.names] == [10 * layer, 10 * layer, 10 * head]


@pytest.mark.parametrize(("prediction", "layer", "head"), [("goodness", 10, 0), ("head", 1, 1), ("both", 11, 1)])
def test_reads_of_an_answer(prediction, layer, head):
    chips = make_chips()
    make_rule(chips, prediction=prediction).predict(make_batch(7)[0])
    assert [chips.ledger.of(name).reads for name in chips.names] == [7 * layer, 7 * layer, 7 * head]


@pytest.mark.parametrize("goodness", ["mean", "cosine"])
@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("place", ["overlay", "rows"])
def test_prediction_by_both_adds_what_goodness_and_head_believe(goodness, direction, place):
    """Oracle: goodness label by label, logits by hand from the weights."""
    options = {"goodness": goodness, "direction": direction, "labels": place, "prediction": "both", "vote_from": 2}
    chips = make_wired(**options)
    rule = make_rule(chips, scale=3.0, **options)
    images, _ = make_batch(25)
    votes = torch.stack([rule.goodness(images, torch.full((25,), label))[1] for label in range(10)], -1)
    strength = rule.options.label_strength
    x, lines = labeled(images, torch.zeros(1, 25, dtype=torch.int64), place, strength)
    x[:, :10] = lines[:] = strength / 10
    for chip in range(2):
        w = [weights[chip] for weights in weights_of(chips)]
        y = length_normalize(torch.relu(length_normalize(x) @ w[0].T))
        y = torch.cat([lines, y], 1) if place == "rows" else y
        logits = length_normalize(torch.relu(y @ w[1].T)) @ w[2].T
        sign = -1 if direction == "minimize" else 1
        expected = (3 * sign * votes[chip]).log_softmax(-1) + logits.log_softmax(-1)
        assert torch.equal(rule.predict(images)[chip], expected.argmax(-1))
        torch.testing.assert_close(rule.beliefs(images)[chip], expected, rtol=1e-4, atol=1e-5)


def test_layers_before_the_first_voter_have_no_vote():
    images, _ = make_batch(25)
    rule = make_rule(make_chips(), vote_from=2)
    assert torch.equal(rule.predict(images), rule.goodness_of_labels(images)[1].argmax(1))


def test_less_goodness_is_the_better_where_it_is_minimized():
    images, _ = make_batch(25)
    rule = make_rule(make_chips(), direction="minimize")
    assert torch.equal(rule.predict(images), sum(rule.goodness_of_labels(images)).argmin(1))


@pytest.mark.parametrize("options", [{"goodness": "mean", "scale": 16.0}, {"goodness": "sum", "scale": 1.0}])
def test_peers_have_the_strength_of_the_official_matlab(options):
    """The formula of ffnew.m written out, for layers of 16 units and its temperature of 1.

    It climbs half the derivative (``states`` for ``2 states``), and adds the peers' term to that for every positive
    case, on or off. Public ports have it 5000 times too weak.
    """
    chips = make_chips(sizes=(20, 16, 16), seeds=(0, 1))
    rule = make_rule(
        chips, slope="assumed", loss="hinton", negatives="random", theta=1.0, peer_strength=0.03, **options
    )
    gradients, kept = capture_gradients(rule), watch(rule)
    means = [torch.full((16,), 0.5) for _ in range(2)]
    for seed in range(3):  # the weights stay, and the running means move on
        images, labels = make_batch(seed=seed)
        rule.step(images, labels)
        for layer in range(2):
            x = [length_normalize(labeled(images, kept["labels"][n : n + 1], "overlay", 3.0)[0]) for n in range(2)]
            w = [weights[1] for weights in weights_of(chips)]
            if layer == 1:
                x = [length_normalize(torch.relu(half @ w[0].T)) for half in x]
            positive, negative = (torch.relu(half @ w[layer].T) for half in x)
            p = torch.sigmoid(positive.square().sum(1) - 16)
            d_in = (1 - p)[:, None] * positive
            means[layer] = 0.9 * means[layer] + 0.1 * positive.mean(0)
            d_in = d_in + 0.03 * (means[layer].mean() - means[layer])
            better = d_in.T @ x[0] - (torch.sigmoid(negative.square().sum(1) - 16)[:, None] * negative).T @ x[1]
            torch.testing.assert_close(gradients[layer][1], -2 * better / len(images), rtol=1e-4, atol=1e-6)


def test_peers_revive_a_neuron_that_is_off_for_every_input():
    chips = make_chips(sizes=(20, 16), seeds=(0,))
    chips.devices[0].weights[0, 3] = -1.0  # inputs are positive
    for strength, moved in [(0.0, False), (0.03, True)]:
        rule = make_rule(chips, slope="assumed", negatives="random", peer_strength=strength)
        gradients = capture_gradients(rule)
        rule.step(*make_batch())
        assert bool(gradients[0][0, 3].any()) == moved


def test_the_memory_of_peers_is_part_of_the_state(tmp_path):
    def go_on(rule):
        return torch.stack([rule.step(*make_batch(seed=n)) for n in range(3)])

    one, other = make_chips(), make_chips()
    rule = make_rule(one, peer_strength=0.3)
    go_on(rule)
    torch.save(rule.state_dict(), tmp_path / "rule.pt")
    other.devices.load_state_dict(one.devices.state_dict())
    again = make_rule(other, peer_strength=0.3)
    again.load_state_dict(torch.load(tmp_path / "rule.pt", weights_only=True))
    assert torch.equal(go_on(rule), go_on(again))


def test_nothing_is_silent_after_training():
    rule = make_rule(make_chips(), dropout=0.9, input_dropout=0.9)
    images, _ = make_batch()
    rule.step(*make_batch())
    assert torch.equal(rule.beliefs(images), rule.beliefs(images))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinton", "theta": (1.0, 2.0, 3.0)}, "Expected one theta for all layers, or 2, .*Got 3. Write"),
        ({"vote_from": 3}, "Expected vote_from to be one of 2 hidden layers. Got 3. Take"),
    ],
)
def test_options_that_do_not_fit_the_depth_are_refused_before_any_chip_is_made(options, message):
    chosen = ForwardForward.Options(**options)
    with pytest.raises(ValueError, match=message):
        ForwardForward.layer_shapes(chosen, 20, (16, 12), 10)
    with pytest.raises(ValueError, match=message):
        make_rule(make_chips(), **options)


def test_dropout_of_hidden_lines_is_refused_where_there_are_none():
    with pytest.raises(ValueError, match="Expected dropout = 0 in a network of one hidden layer. Got 0.1"):
        ForwardForward.layer_shapes(ForwardForward.Options(dropout=0.1), 20, (16,), 10)


@pytest.mark.parametrize(
    "options",
    [
        {"slack": 0.5},
        {"loss": "hinton", "penalty": 0.5},
        {"prediction": "head", "vote_from": 2},
        {"negatives": "all", "head_learning_rate": 0.1},
    ],
)
def test_what_would_do_nothing_is_refused(options):
    with pytest.raises(ValidationError, match="beside it, without which .* does nothing"):
        ForwardForward.Options(**options)


def test_a_theta_for_each_layer_is_a_list_in_a_file():
    options = ForwardForward.Options.model_validate_json('{"loss": "hinton", "theta": [1, 2.5]}', strict=True)
    assert options.theta == (1.0, 2.5)
    for bad in ("[]", '"high"', "[NaN]"):
        with pytest.raises(ValidationError):
            ForwardForward.Options.model_validate_json('{"loss": "hinton", "theta": ' + bad + "}", strict=True)


@pytest.mark.parametrize("kind", ["random", "hard", "goodness", "all"])
def test_a_negative_never_has_the_true_label(kind):
    """Whatever the chip and its head have come to, beliefs that are sure, undefined or infinite included."""
    chips = make_chips(sizes=(20, 16), seeds=(0, 1))
    chips.ledger.record_divergence(2, torch.device("cpu"))  # as in a study, where it is how a run may end
    rule = make_rule(chips, slope="assumed", negatives=kind)
    draw, (images, labels) = watch(rule), make_batch(2000)
    for value in (None, 0.0, 1e3, 1e30, math.inf, math.nan):
        if value is not None:
            chips.devices[0].weights.fill_(value)
            chips.devices[1].weights[:, ::3] = value
        rule.step(images, labels)
        candidates = draw["labels"].expand(2, -1, -1) if draw["labels"].dim() == 2 else draw["labels"]
        assert not (candidates[:, 1:] == labels).any()
        assert (candidates[:, 0] == labels).all() and candidates.min() >= 0 and candidates.max() < 10
        if kind == "all":
            assert torch.equal(candidates.sort(1).values[0, :, 0], torch.arange(10))


def test_a_measured_stride_shortens_the_steps_of_neurons_that_turn():
    """The first change is the free one's, times the share that each layer showed; rectifiers take it whole."""
    images, labels = make_batch(20)
    asked = {}
    for curve in (lambda a: torch.sin(3 * a).square(), torch.relu):
        for max_step in ("free", "measured"):
            chips = make_wired(curve=curve)
            rule = make_rule(chips, max_step=max_step, learning_rate=0.1, negatives="random", slope="oracle")
            before = [w.clone() for w in weights_of(chips)]
            rule.step(images, labels)
            asked[max_step] = [b - a for a, b in zip(before, weights_of(chips), strict=True)]
        shares = [s.share for s in rule.max_steps]
        for free, shortened, share in zip(asked["free"], asked["measured"], shares, strict=False):
            assert torch.allclose(shortened, share * free, atol=1e-7)
        assert (torch.stack(shares).min() < 1) == (curve is not torch.relu)


def test_a_measured_stride_needs_slopes_to_be_seen():
    with pytest.raises(ValidationError, match="sees no slope turn"):
        ForwardForward.Options(slope="assumed", max_step="measured")
