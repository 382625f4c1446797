import pytest
import torch
from pydantic import ValidationError

from analogff.forward_forward.losses import LOSSES
from analogff.network import LayerSpec, fabricate_wired
from analogff.network.normalization import length_normalize
from analogff.rules.recurrent_forward_forward import RecurrentForwardForward
from tests.helpers.fakes import Curved, capture_gradients, counted, given_probes, make_batch, weights_of

N_IN, CLASSES = 20, 10


def make(widths=(16, 12, 14), seeds=(0, 1), **options):
    chosen = RecurrentForwardForward.Options(**{"slope": "assumed", **options})
    shapes = RecurrentForwardForward.layer_shapes(chosen, N_IN, widths, CLASSES)
    chips = fabricate_wired([LayerSpec(Curved)] * len(widths), shapes, seeds=seeds)
    return RecurrentForwardForward(chips.seal(RecurrentForwardForward.needs(chosen)), chosen, seed=0), chips


def keep(rule, method):
    """Let a rule draw its negatives, and remember them."""
    kept, act = [], getattr(rule, method)
    setattr(rule, method, lambda *a: kept.append(act(*a)) or kept[-1])
    return kept


def unrolled(images, label, weights, damping, iterations):
    """Yield, slowly and obviously, the states of one chip at rest and of every iteration, from its weight matrices."""
    widths = [w.shape[0] for w in weights]
    signal, states = length_normalize(images), []
    for n, w in enumerate(weights):
        states.append(torch.relu(signal @ w[:, -signal.shape[-1] :].T))
        signal = length_normalize(states[n])
    yield states
    top = length_normalize(torch.nn.functional.one_hot(label, CLASSES).float())
    for _ in range(iterations):
        outside = [length_normalize(images), *map(length_normalize, states), top]
        heard = [torch.cat([outside[n + 2], outside[n]], -1) for n in range(len(widths))]
        answers = [torch.relu(x @ w.T) for x, w in zip(heard, weights, strict=True)]
        states = [damping * s + (1 - damping) * y for s, y in zip(states, answers, strict=True)]
        yield states


@pytest.mark.parametrize("slope", ["oracle", "assumed"])
@pytest.mark.parametrize("loss", ["hinton", "symba", "swish"])
@pytest.mark.parametrize("widths", [(16, 12, 14), (16,)])
def test_the_update_of_an_iteration_is_the_gradient_of_each_layers_own_loss(loss, slope, widths):
    """Autograd through one iteration, old states given, on an ideal rectifier."""
    turn = len(widths)  # when the label has come down to the first layer
    told = dict(loss=loss, slope=slope, scale=3.0, iterations=turn, learn_from=turn, vote_from=1, vote_to=1)
    rule, chips = make(widths, **told)
    gradients, wrong, (images, labels) = capture_gradients(rule), keep(rule, "_wrong_labels"), make_batch()
    rule.step(images, labels)
    for chip in range(2):
        weights = [w[chip].clone().requires_grad_() for w in weights_of(chips)[:-1]]
        before = [[*unrolled(images, label, weights, 0.3, turn - 1)][-1] for label in (labels, wrong[0][chip])]
        top = [length_normalize(torch.eye(CLASSES)[label]) for label in (labels, wrong[0][chip])]
        for n, w in enumerate(weights):
            squares = []
            for states, label in zip(before, top, strict=True):
                states = [s.detach() for s in states]
                outside = [length_normalize(images), *map(length_normalize, states), label]
                y = torch.relu(torch.cat([outside[n + 2], outside[n]], -1) @ w.T)
                squares.append((0.3 * states[n] + 0.7 * y).square().mean(-1))
            LOSSES[loss](*squares, 3.0, 1.0).loss.mean().backward()
            torch.testing.assert_close(gradients[n][chip], w.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("damping", [0.0, 0.3, 0.8])
def test_states_follow_the_damped_equations_and_vote_over_their_window(damping):
    rule, chips = make(damping=damping, vote_from=2, vote_to=4)
    images, labels = make_batch(7)
    found = rule.goodness(images, labels)
    for chip in range(2):
        weights = [w[chip] for w in weights_of(chips)[:-1]]
        states = list(unrolled(images, labels, weights, damping, 4))[2:]
        for n in range(3):
            expected = torch.stack([s[n].square().mean(-1) for s in states]).mean(0)
            torch.testing.assert_close(found[n][chip], expected)


def test_it_answers_with_the_label_of_most_goodness():
    rule, _ = make()
    images, _ = make_batch(7)
    each = torch.stack([torch.stack(rule.goodness(images, torch.full((7,), label))) for label in range(CLASSES)], dim=2)
    assert torch.equal(rule.predict(images), each.sum(0).argmax(1))
    assert torch.equal(rule.answers_by_layer(images), each.argmax(2))


@pytest.mark.parametrize(("slope", "a_read"), [("assumed", 1), ("probed", 3)])
@pytest.mark.parametrize("negatives", ["random", "hard"])
def test_reads_of_a_step_and_of_an_answer(slope, a_read, negatives):
    """One bottom-up pass; then two labels at 5 iterations, of which 3 teach; the head once if it draws negatives."""
    rule, chips = make(**given_probes(slope), negatives=negatives, iterations=5, learn_from=3, vote_from=2, vote_to=4)
    rule.step(*make_batch(6))
    for layer in ("layer 1", "layer 2", "layer 3"):
        assert chips.ledger.of(layer).reads == 6 * (1 + 2 * (2 + 3 * a_read))
    assert counted(chips, "writes") == [3, 3, 3, int(negatives == "hard")]
    assert chips.ledger.of("head").reads == (6 if negatives == "hard" else 0)
    with chips.ledger.evaluating():
        rule.predict(make_batch(6)[0])
    assert chips.ledger.of("layer 2", "evaluation").reads == 6 * (1 + CLASSES * 4)


@pytest.mark.parametrize(("loss", "silent"), [("swish", [2, 1, 0]), ("symba", [2, 1, 0]), ("hinton", [0, 0, 0])])
def test_a_layer_that_no_label_has_reached_is_read_once_and_not_written(loss, silent):
    """A label comes down by a layer an iteration; until then both states are one, and pairs have no gradient."""
    rule, chips = make(**given_probes("probed"), loss=loss, negatives="random")
    gradients, images = capture_gradients(rule), make_batch(6)
    rule.step(*images)
    assert all(gradients[n].any() for n in range(3))
    rule, chips = make(**given_probes("probed"), loss=loss, negatives="random")
    rule.step(*images)
    assert counted(chips, "writes") == [*(8 - n for n in silent), 0]
    assert counted(chips, "reads")[:3] == [6 * (1 + 2 * (n + 3 * (8 - n))) for n in silent]


def test_layers_that_no_label_reaches_are_refused():
    short = dict(iterations=2, vote_from=1, vote_to=2)
    with pytest.raises(ValueError, match=r"as many iterations as layers, 3, .* Got 2\. Set rule.iterations higher"):
        make(**short)
    make(**short, loss="hinton")


@pytest.mark.slow
def test_a_chip_is_bitwise_the_same_alone_and_in_a_bank():
    def life(seeds):
        rule, chips = make(seeds=seeds, slope="probed", loss="hinton", learning_rate=0.01)
        for seed in range(3):
            rule.step(*make_batch(30, seed=seed))
        return [w[-1] for w in weights_of(chips)]

    assert all(torch.equal(a, b) for a, b in zip(life((0, 5, 1)), life((1,)), strict=True))


@pytest.mark.slow
def test_it_learns_labels_that_only_the_top_layer_hears():
    rule, _ = make((48, 48), learning_rate=0.003)
    images, labels = make_batch(40)
    images[torch.arange(40), 10 + labels] += 2
    for _ in range(40):
        rule.step(images, labels)
    right, wrong = (sum(rule.goodness(images, label)) for label in (labels, (labels + 1) % CLASSES))
    assert (right > wrong).float().mean() > 0.95
    assert (rule.predict(images) == labels).float().mean() > 0.9


@pytest.mark.parametrize(
    "options",
    [
        {"theta": 2.0},
        {"negatives": "random", "head_learning_rate": 0.1},
        {"iterations": 4},
        {"iterations": 2, "learn_from": 3, "vote_from": 1, "vote_to": 1},
        {"vote_from": 5, "vote_to": 4},
        {"damping": 1.0},
    ],
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ValidationError):
        RecurrentForwardForward.Options(**options)
