"""Which layers learn when, and phases of positive or negative inputs alone."""

import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import cross_entropy, softplus

from analogff.forward_forward.labels import overlay
from analogff.forward_forward.losses import LOSSES
from analogff.forward_forward.one_sided_losses import ONE_SIDED_LOSSES
from analogff.learning.layer_order import Pipelined, make_order
from analogff.network.normalization import length_normalize
from analogff.rules.centroids import CentroidForward
from analogff.rules.forward_forward import ForwardForward
from analogff.rules.mono_forward import MonoForward
from analogff.rules.unsupervised_forward_forward import UnsupervisedForwardForward
from tests.helpers.fakes import capture_gradients, counted, given_probes, make_batch, make_chips, weights_of

FOUR = (20, 16, 12, 14, 11)


def make_rule(sizes=FOUR, rule=ForwardForward, **options):
    chips = make_chips(sizes=sizes)
    options = {"negatives": "random", "slope": "assumed"} | options if rule is ForwardForward else options
    chosen = rule.Options(**options)
    return rule(chips.seal(rule.needs(chosen)), chosen, seed=0), chips


def learners(name, layers, progress):
    order = make_order(name, layers)
    order.advance(progress)
    return list(order.learning)


@pytest.mark.parametrize(
    ("order", "shares"),
    [
        ("simultaneous", [[0, 1, 2, 3]]),
        ("pipelined", [[0, 1, 2, 3]]),
        ("greedy", [[0], [1], [2], [3]]),
        ("pairs", [[0, 1], [1, 2], [2, 3]]),
    ],
)
def test_every_share_of_the_training_has_its_layers(order, shares):
    for n in range(120):
        assert learners(order, 4, n / 120) == shares[n * len(shares) // 120]
    assert learners(order, 4, 1.0) == shares[-1]
    assert learners(order, 1, 0.5) == [0]


# writes of the layers and the head, then reads of an image: a probed learner takes 2 x 3, one on the way 2 x 1
TURNS = [
    ("simultaneous", 0.9, [1, 1, 1, 1, 0], [6, 6, 6, 6, 0]),
    ("greedy", 0.0, [1, 0, 0, 0, 0], [6, 0, 0, 0, 0]),
    ("greedy", 0.6, [0, 0, 1, 0, 0], [2, 2, 6, 0, 0]),
    ("greedy", 0.99, [0, 0, 0, 1, 0], [2, 2, 2, 6, 0]),
    ("pairs", 0.0, [1, 1, 0, 0, 0], [6, 6, 0, 0, 0]),
    ("pairs", 0.5, [0, 1, 1, 0, 0], [2, 6, 6, 0, 0]),
    ("pairs", 0.99, [0, 0, 1, 1, 0], [2, 2, 6, 6, 0]),
    ("pairs", 1.0, [0, 0, 0, 0, 0], [2, 2, 6, 6, 0]),  # at the end of a falling rate nothing is asked for
    ("pipelined", 0.5, [1, 0, 0, 0, 0], [6, 0, 0, 0, 0]),
]


@pytest.mark.parametrize(("order", "progress", "writes", "reads"), TURNS)
def test_writes_and_reads_of_a_step_by_hand(order, progress, writes, reads):
    rule, chips = make_rule(order=order, **given_probes("probed"))
    rule.advance(progress)
    rule.step(*make_batch(10))
    assert counted(chips, "writes") == writes
    assert counted(chips, "reads") == [10 * n for n in reads]


def test_the_head_learns_in_every_share():
    rule, chips = make_rule(order="greedy", negatives="hard")
    rule.step(*make_batch(10))
    assert counted(chips, "writes") == [1, 0, 0, 0, 1]
    assert counted(chips, "reads") == [30, 10, 10, 10, 10]  # a neutral pass through all


@pytest.mark.parametrize("rule", [ForwardForward, MonoForward])
def test_a_layer_on_its_turn_learns_what_it_would_among_others(rule):
    """No layer is told of the ones after it, and those before it stay: gradients without writes are the same."""
    both = [make_rule(rule=rule, order=order, slope="oracle")[0] for order in ("simultaneous", "greedy")]
    found = [capture_gradients(rule) for rule in both]
    for one in both:
        one.advance(0.3)
        one.step(*make_batch())
    assert sorted(found[1]) == [1] and torch.equal(found[0][1], found[1][1])


def test_a_pipelined_layer_learns_from_the_step_before():
    """Autograd on ideal rectifiers: images, labels and weights of layer 1 as they were one step ago."""
    rule, chips = make_rule(
        sizes=(20, 16, 12), rule=MonoForward, order="pipelined", slope="oracle", projection_learning_rate=0
    )
    before, batches = weights_of(chips)[0], [make_batch(seed=n) for n in range(2)]
    first = rule.step(*batches[0])
    assert counted(chips, "writes") == [1, 0, 0]
    assert not torch.equal(weights_of(chips)[0], before)
    now, found = weights_of(chips), capture_gradients(rule)
    told = rule.step(*batches[1])
    for chip in range(2):
        losses = []
        for layer, (images, labels) in enumerate(batches[::-1]):
            x = length_normalize(images)
            if layer:
                x = length_normalize(torch.relu(x @ before[chip].T))
            w = now[layer][chip].requires_grad_()
            scores = torch.relu(x @ w.T) @ rule.objectives[layer].weights[chip].T
            losses.append(cross_entropy(scores, labels))
            (expected,) = torch.autograd.grad(losses[-1], w)
            torch.testing.assert_close(found[layer][chip], expected, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(told[chip], torch.stack(losses).mean().detach(), rtol=1e-4, atol=1e-6)
    assert torch.isfinite(first).all()


def test_a_pipeline_fills_by_a_layer_a_step_and_runs_empty_between_epochs():
    rule, chips = make_rule(order="pipelined")
    for _ in range(2):
        for n in range(3):
            rule.step(*make_batch(10 - n))  # a last batch may be smaller
        rule.finish_epoch()
    assert counted(chips, "writes") == [6, 4, 2, 0, 0]


def test_a_pipeline_that_is_full_lets_the_oldest_batch_go():
    order, due = Pipelined(3), []
    for n in range(5):
        due = list(order.due(iter([f"{n}a", f"{n}b", f"{n}c"])))
    assert due == ["4a", "3b", "2c"]
    order.finish_epoch()
    assert list(order.due(iter(["a", "b", "c"]))) == ["a"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"order": "pipelined", "labels": "rows"}, "rows would tell the labels of a later step"),
        ({"order": "pipelined", "dropout": 0.2}, "whose layers hear lines masked a step before"),
        ({"order": "pipelined", "loss": "hinton", "phase_length": 3}, "whose layers would be in different phases"),
        ({"phase_length": 3}, "a loss of pairs, which needs both halves"),
        ({"loss": "symba", "phase_length": 3}, "a loss of pairs, which needs both halves"),
        ({"loss": "scff", "negatives": "all", "phase_length": 3}, "would outnumber the positives"),
    ],
)
def test_what_does_not_go_together_is_refused(options, said):
    with pytest.raises(ValidationError, match=said):
        ForwardForward.Options(**options)


@pytest.mark.parametrize(
    ("options", "layers"), [({"order": "greedy"}, 1), ({"order": "pairs"}, 2), ({"order": "pipelined"}, 1)]
)
@pytest.mark.parametrize("rule", [ForwardForward, CentroidForward, UnsupervisedForwardForward])
def test_an_order_that_would_be_none_is_refused(rule, options, layers):
    """So that nobody compares two names of one thing."""
    options = rule.Options(slope="assumed", **options)
    with pytest.raises(ValueError, match=f"Expected at least {layers + 1} hidden layers.*Got {layers}, which would"):
        rule.layer_shapes(options, 64, [20] * layers, 10)
    rule.layer_shapes(options, 64, [20] * (layers + 1), 10)


def test_rows_of_the_only_layer_are_lines():
    options = ForwardForward.Options(labels="rows")
    with pytest.raises(ValueError, match='Expected labels = "lines" in a network of one hidden layer. Got "rows"'):
        ForwardForward.layer_shapes(options, 64, [20], 10)


@pytest.mark.parametrize("name", sorted(ONE_SIDED_LOSSES))
def test_halves_add_up_to_the_whole(name):
    positive, negative = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    whole = LOSSES[name](positive, negative, 3.0, 0.4)
    wake, sleep = (
        ONE_SIDED_LOSSES[name](positive, 3.0, 0.4, "wake"),
        ONE_SIDED_LOSSES[name](negative, 3.0, 0.4, "sleep"),
    )
    torch.testing.assert_close(wake.loss + sleep.loss, whole.loss)
    torch.testing.assert_close(wake.slope, whole.positive)
    torch.testing.assert_close(sleep.slope, whole.negative)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("loss", ["hinton", "scff"])
def test_a_phase_has_the_gradient_of_its_own_term(loss, direction):
    """Autograd on ideal rectifiers, with the formulas written out; reads are those of one half."""
    more = {"slack": 0.7, "penalty": 0.2} if loss == "scff" else {}
    rule, chips = make_rule(
        sizes=(20, 16, 12),
        phase_length=2,
        max_step="free",
        loss=loss,
        theta=0.4,
        scale=3.0,
        direction=direction,
        slope="oracle",
        label_strength=1.0,
        **more,
    )
    found, (images, labels), shown = capture_gradients(rule), make_batch(), []
    draw = rule._candidates
    rule._candidates = lambda *a: shown.append(draw(*a)) or shown[-1]
    sign = -1 if direction == "minimize" else 1
    for step in range(5):
        awake = step // 2 % 2 == 0
        told = rule.step(images, labels)
        assert torch.equal(shown[-1][0], labels) if awake else not (shown[-1] == labels).any()
        for chip in range(2):
            x, losses = length_normalize(overlay(images, shown[-1][0], 10)), []
            for layer in range(2):
                w = weights_of(chips)[layer][chip].requires_grad_()
                y = torch.relu(x @ w.T)
                g, theta = sign * y.square().mean(-1), sign * 0.4
                term = softplus(3 * (theta - g)) if awake else softplus(3 * (g - theta - more.get("slack", 0)))
                losses.append((term + (more.get("penalty", 0) * g.abs() if awake else 0)).mean())
                (expected,) = torch.autograd.grad(losses[-1], w)
                torch.testing.assert_close(found[layer][chip], expected, rtol=1e-4, atol=1e-6)
                x = length_normalize(y).detach()
            torch.testing.assert_close(told[chip], torch.stack(losses).mean().detach(), rtol=1e-4, atol=1e-6)
    assert counted(chips, "reads") == [5 * 30, 5 * 30, 0]


def test_a_phase_goes_on_after_a_checkpoint():
    rule, _ = make_rule(phase_length=3, loss="hinton", peer_strength=0.03)
    for _ in range(4):
        rule.step(*make_batch())
    other, _ = make_rule(phase_length=3, loss="hinton", peer_strength=0.03)
    other.load_state_dict(rule.state_dict())
    assert [rule.wake_sleep.phase, other.wake_sleep.phase, other.wake_sleep.steps] == ["sleep", "sleep", 4]


def test_peers_take_note_awake_and_only_then():
    rule, _ = make_rule(phase_length=1, loss="hinton", peer_strength=0.03)
    rule.step(*make_batch())
    noted = [objective.peers.mean.clone() for objective in rule.objectives]
    rule.step(*make_batch(seed=1))
    assert all(torch.equal(a, b.peers.mean) for a, b in zip(noted, rule.objectives, strict=True))


@pytest.mark.parametrize(("phase", "layer"), [(0, 2), (1, 12)])
def test_negatives_are_tried_asleep_alone(phase, layer):
    """Ten tries and a negative asleep, a positive awake, and the neutral pass of the head in both."""
    rule, chips = make_rule(phase_length=1, loss="hinton", negatives="goodness", prediction="both")
    rule.wake_sleep.steps = phase
    rule.step(*make_batch(10))
    assert counted(chips, "reads") == [10 * layer] * 4 + [10]


def test_a_chip_sleeps_the_same_alone_and_in_a_bank():
    def numbers(seeds):
        chips = make_chips(seeds=seeds, curve=torch.tanh)
        options = ForwardForward.Options(
            phase_length=1, loss="scff", negatives="hard", theta="measured", scale="measured"
        )
        rule = ForwardForward(chips.seal(ForwardForward.needs(options)), options, seed=0)
        return [*(rule.step(*make_batch(31, seed=n)) for n in range(4)), *weights_of(chips)]

    for bank, alone in zip(numbers((3, 4, 5)), numbers((4,)), strict=True):
        assert torch.equal(bank[1], alone[0])
