import pytest
import torch

from analogff.device import BlackBoxError, Observable
from analogff.network.normalization import length_normalize
from analogff.rules.asyt import AsyT
from tests.helpers.fakes import capture_gradients, counted, make_batch, make_chips
from tests.helpers.gradients import estimates, flat, true_gradients


def make_rule(chips, **options):
    chosen = AsyT.Options(**options)
    return AsyT(chips.seal(AsyT.needs(chosen)), chosen, seed=0)


def test_with_a_true_model_of_an_exact_chip_it_takes_the_gradient():
    chips, batch = make_chips(seeds=(0,), curve=torch.tanh), make_batch()
    (found,) = estimates(make_rule(chips), *batch, steps=1)
    torch.testing.assert_close(found, flat(true_gradients(chips, *batch, torch.tanh)), rtol=1e-3, atol=1e-6)


def test_the_error_is_the_chips_and_everything_else_the_models():
    """By hand, on a chip whose curve is not the believed one."""
    chips, (images, labels) = make_chips(sizes=(20, 16), seeds=(0,), curve=torch.sigmoid), make_batch()
    rule = make_rule(chips, believes="relu")
    gradients = capture_gradients(rule)
    logits = rule.network.output(images)[0].double()
    rule.step(images, labels)
    first, head = (model.twin.weights[0].double() for model in rule.models)
    x = length_normalize(images.double())
    a = (x @ first.T).requires_grad_()
    carried = length_normalize(torch.relu(a))
    error = (logits.softmax(-1) - torch.nn.functional.one_hot(labels, 10)) / len(images)
    torch.testing.assert_close(gradients[1][0].double(), error.T @ carried.detach(), rtol=1e-4, atol=1e-6)
    (delta,) = torch.autograd.grad((carried @ head.T * error).sum(), a)
    torch.testing.assert_close(gradients[0][0].double(), delta.T @ x, rtol=1e-4, atol=1e-6)


def test_read_noise_enters_through_the_error_alone():
    """The spread of the estimate of an exact chip's gradient is that of its logits, however noisy hidden layers are."""
    chips, batch = make_chips(sizes=(20, 16), seeds=(0,), noise=0.5), make_batch()
    rule = make_rule(chips)
    seen = []
    respond = rule.models[0].respond
    rule.models[0].respond = lambda x: seen.append(respond(x)) or seen[-1]
    found = estimates(rule, *batch, steps=2)
    assert torch.equal(seen[0].y, seen[1].y) and not torch.equal(*found)


def test_it_sees_the_output_and_no_hidden_layer():
    rule = make_rule(make_chips(), believes="relu")
    assert rule.needs(rule.options) == Observable.OUTPUT
    with pytest.raises(BlackBoxError, match="declared OUTPUT"):
        rule.network.activities(make_batch()[0])
    assert AsyT.needs(AsyT.Options()) == Observable.TWIN


def test_reads_and_writes_of_a_step():
    chips = make_chips()
    rule = make_rule(chips)
    programmed = counted(chips, "writes")
    rule.step(*make_batch(10))
    assert counted(chips, "reads") == [10] * 3
    assert [now - then for now, then in zip(counted(chips, "writes"), programmed, strict=True)] == [1] * 3


@pytest.mark.parametrize("believes", ["datasheet", "relu"])
def test_it_learns_a_small_problem_also_by_a_wrong_model(believes):
    chips = make_chips(sizes=(6, 16, 16), classes=2, seeds=(0,), curve=torch.tanh, noise=0.02)
    rule = make_rule(chips, believes=believes, learning_rate=0.01)
    images, _ = make_batch(60, n_in=6, classes=2)
    labels = (images[:, 0] > images[:, 1]).long()
    losses = [rule.step(images, labels).item() for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
