import pytest
import torch

from analogff.network.normalization import length_normalize
from analogff.rules.pepita import Pepita
from tests.helpers.fakes import capture_gradients, counted, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = Pepita.Options(**options)
    return Pepita(chips.seal(Pepita.needs(chosen)), chosen, seed=0)


def passes(weights, images):
    """Return inputs and activities of each layer, the logits last."""
    found, x = [], images
    for w in weights[:-1]:
        x = length_normalize(x)
        y = torch.relu(x @ w.T)
        found.append((x, y))
        x = y
    x = length_normalize(x)
    return [*found, (x, x @ weights[-1].T)]


@pytest.mark.parametrize("form", ["modulated", "mixed"])
def test_updates_are_the_papers(form):
    chips, (images, labels) = make_chips(), make_batch()
    rule = make_rule(chips, form=form, feedback=0.5)
    gradients = capture_gradients(rule)
    rule.step(images, labels)
    target = torch.nn.functional.one_hot(labels, 10)
    for chip in range(2):
        weights = [w[chip].double() for w in weights_of(chips)]
        *plain, (_, logits) = passes(weights, images.double())
        error = logits.softmax(-1) - target
        *modulated, (last, again) = passes(weights, images.double() + error @ rule.feedback.double().T)
        for n, ((x, h), (x_m, h_m)) in enumerate(zip(plain, modulated, strict=True)):
            expected = (h - h_m).T @ x_m if form == "modulated" else h.T @ x - h_m.T @ x_m
            torch.testing.assert_close(gradients[n][chip].double(), expected / 30, rtol=1e-3, atol=1e-5)
        expected = (again.softmax(-1) - target).T @ last / 30
        torch.testing.assert_close(gradients[2][chip].double(), expected, rtol=1e-3, atol=1e-6)


def test_both_passes_have_the_same_silent_activities():
    """With a feedback of nothing, both passes are equal to the last bit and the hidden layers rest."""
    chips = make_chips()
    rule = make_rule(chips, dropout=0.5)
    rule.feedback.zero_()
    gradients = capture_gradients(rule)
    rule.step(*make_batch())
    assert all(not gradients[n].any() for n in (0, 1))
    assert gradients[2].any()


def test_two_reads_a_layer_and_image():
    chips = make_chips()
    make_rule(chips).step(*make_batch(10))
    assert counted(chips, "reads") == [20, 20, 20]


def test_the_feedback_is_uniform_within_its_range():
    rule = make_rule(make_chips(sizes=(600, 16)), feedback=0.05)
    reach = 0.05 * (6 / 600) ** 0.5
    assert rule.feedback.abs().max().item() == pytest.approx(reach, rel=0.01)
    assert rule.feedback.var().item() == pytest.approx(reach**2 / 3, rel=4 * (0.8 / rule.feedback.numel()) ** 0.5)
