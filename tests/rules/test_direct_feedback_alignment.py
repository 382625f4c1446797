import pytest
import torch
from pydantic import ValidationError

from analogff.device import Observable
from analogff.network.normalization import length_normalize
from analogff.rules.direct_feedback_alignment import DirectFeedbackAlignment
from tests.helpers.fakes import capture_gradients, counted, given_probes, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = DirectFeedbackAlignment.Options(**options)
    return DirectFeedbackAlignment(chips.seal(DirectFeedbackAlignment.needs(chosen)), chosen, seed=0)


@pytest.mark.parametrize("slope", ["oracle", "assumed", "one", "cosine"])
def test_updates_are_the_broadcast_error_times_slope_times_input(slope):
    """Against the formula in float64; tanh neurons, whose slope 1 - y^2 is known."""
    chips, (images, labels) = make_chips(curve=torch.tanh), make_batch()
    rule = make_rule(chips, slope=slope)
    gradients = capture_gradients(rule)
    rule.step(images, labels)
    for chip in range(2):
        xs, ys, x = [], [], images.double()
        for weights in weights_of(chips)[:-1]:
            xs.append(length_normalize(x))
            ys.append(torch.tanh(xs[-1] @ weights[chip].double().T))
            x = ys[-1]
        last = length_normalize(x)
        logits = last @ weights_of(chips)[-1][chip].double().T
        error = (logits.softmax(-1) - torch.nn.functional.one_hot(labels, 10)) / len(images)
        torch.testing.assert_close(gradients[2][chip].double(), error.T @ last, rtol=1e-4, atol=1e-6)
        for n, (x, y) in enumerate(zip(xs, ys, strict=True)):
            factors = {"oracle": 1 - y**2, "assumed": (y > 0).double(), "one": torch.ones_like(y), "cosine": y.cos()}
            expected = (error @ rule.feedback[n].double().T * factors[slope]).T @ x
            torch.testing.assert_close(gradients[n][chip].double(), expected, rtol=1e-4, atol=1e-6)


def test_feedback_is_fixed_random_and_of_its_size():
    rule = make_rule(make_chips(sizes=(20, 400, 300)), slope="one")
    before = [feedback.clone() for feedback in rule.feedback]
    rule.step(*make_batch())
    for feedback, was in zip(rule.feedback, before, strict=True):
        assert torch.equal(feedback, was)
        # 3,000 or more samples of variance 1/10: four standard errors of a variance
        assert feedback.var().item() == pytest.approx(0.1, rel=4 * (2 / feedback.numel()) ** 0.5)
    assert not torch.equal(rule.feedback[0][:300], rule.feedback[1])


@pytest.mark.slow
def test_forward_weights_align_with_the_feedback():
    """The reason why it learns: the loss falls, and the second layer's transposed path points along the feedback."""
    chips, (images, labels) = make_chips(sizes=(20, 40, 40), seeds=(0,)), make_batch(200)
    rule = make_rule(chips, slope="oracle", learning_rate=0.01)
    losses = [rule.step(images, labels).item() for _ in range(150)]
    head = weights_of(chips)[-1][0]  # (classes, width); the error's true way down is its transpose
    assert losses[-1] < 0.5 * losses[0]
    assert torch.cosine_similarity(head.T.flatten(), rule.feedback[1].flatten(), 0) > 0.3


@pytest.mark.parametrize(("slope", "reads"), [("one", 1), ("cosine", 1), ("assumed", 1), ("probed", 3)])
def test_reads_of_a_step(slope, reads):
    chips = make_chips()
    rule = make_rule(chips, **given_probes(slope))
    rule.step(*make_batch(10))
    assert counted(chips, "reads") == [10 * reads, 10 * reads, 10]
    assert rule.needs(rule.options) == (Observable.PROBE if slope == "probed" else Observable.ACTIVITY)


def test_a_limit_of_steps_needs_slopes_that_are_seen():
    for slope in ("one", "cosine"):
        with pytest.raises(ValidationError, match="which sees no slope turn"):
            DirectFeedbackAlignment.Options(slope=slope, max_step="measured")
