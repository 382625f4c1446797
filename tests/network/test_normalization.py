import pytest
import torch

from analogff.device import SharedInputs
from analogff.forward_forward.labels import overlay_neutral
from analogff.network.normalization import (
    L2,
    GainControl,
    Length,
    Unchanged,
    length_normalize,
    mean_square,
)
from analogff.network.normalizers import make_normalizer
from analogff.network.standardization import Standardization
from analogff.rules.backprop import Backprop
from analogff.rules.forward_forward import ForwardForward
from tests.helpers.fakes import capture_gradients, make_batch, make_chips, weights_of

LOOPS = [GainControl(max_gain=gain, offset=v) for gain, v in ((30.0, 0.0), (3.0, 0.4), (3.0, -0.3))]
CENTERED = [Standardization(), Standardization(2, 4)]
ALL = [Length(), L2(), Unchanged(), *LOOPS, *CENTERED]
rms = lambda y: y.square().mean(-1, keepdim=True).sqrt()  # noqa: E731


def test_normalized_vectors_have_mean_square_one_and_their_direction():
    y = torch.randn(3, 5, 40) * 7
    z = length_normalize(y)
    torch.testing.assert_close(z.square().mean(-1), torch.ones(3, 5))
    torch.testing.assert_close(torch.cosine_similarity(y, z, -1), torch.ones(3, 5))


@pytest.mark.parametrize("normalizer", ALL, ids=lambda n: type(n).__name__)
def test_silence_stays_silent(normalizer):
    y = torch.zeros(2, 4)
    assert torch.equal(normalizer.forward(y), y)
    assert torch.isfinite(normalizer.backward(torch.ones_like(y), y, y)).all()


@pytest.mark.parametrize("normalizer", ALL, ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("size", [0.01, 0.1, 5.0])
def test_backward_equals_autograd(normalizer, size):
    """Also at 0.01, where the detector with an offset of 0.4 hears nothing."""
    y = (size * torch.randn(3, 5, 40, dtype=torch.float64)).requires_grad_()
    error = torch.randn(3, 5, 40, dtype=torch.float64)
    x = normalizer.forward(y)
    (expected,) = torch.autograd.grad(x, y, error)
    torch.testing.assert_close(normalizer.backward(error, x.detach(), y.detach()), expected)


@pytest.mark.parametrize("normalizer", ALL, ids=lambda n: type(n).__name__)
def test_known_mean_squares_say_the_same(normalizer):
    y = torch.randn(3, 5, 40)
    assert torch.equal(normalizer.forward(y, mean_square(y)), normalizer.forward(y))


def test_layer_and_group_normalization_are_those_of_pytorch():
    y = torch.randn(3, 5, 6 * 12) * 7 + 2  # six points of twelve channels
    of_layer = torch.nn.functional.layer_norm(y, y.shape[-1:], eps=1e-12)
    torch.testing.assert_close(Standardization().of_channels(12).forward(y), of_layer)
    maps = y.view(15, 6, 12).mT
    of_groups = torch.nn.functional.group_norm(maps, 4, eps=1e-12).mT.reshape(y.shape)
    torch.testing.assert_close(Standardization(4).of_channels(12).forward(y), of_groups)


def test_variants_of_an_image_are_standardized_as_if_written_out():
    shared, marks = torch.rand(1, 5, 30), 2 * torch.eye(3)[torch.randint(3, (1, 4, 5))]
    shared[..., :3] = 0
    whole = SharedInputs(shared, marks).whole()
    x = Standardization().forward_shared(SharedInputs(shared, marks))
    torch.testing.assert_close(x.whole(), Standardization().forward(whole))
    assert (x.shared[..., :3] == 0).all()


def test_length_one_and_none_at_all():
    y = torch.randn(3, 5, 40) * 7
    torch.testing.assert_close(L2().forward(y), torch.nn.functional.normalize(y, dim=-1))
    assert torch.equal(Unchanged().forward(y), y)


@pytest.mark.parametrize("loop", LOOPS, ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("size", [1e-3, 0.03, 0.3, 1.0, 20.0])
def test_gain_control_is_where_the_loop_settles(loop, size):
    """The amplifier's gain follows what the detector reports of its output, step by step, till it moves no more."""
    y = size * torch.randn(4, 50, dtype=torch.float64)
    gain = torch.zeros(4, 1, dtype=torch.float64)
    speed = 1 / (1 + loop.max_gain * rms(y))  # small steps where the loop is stiff
    for _ in range(100):
        reported = (gain * rms(y) - loop.offset).clamp(min=0)
        gain += speed * (loop.max_gain * (1 - reported) - gain)
    torch.testing.assert_close(loop.forward(y), gain * y)
    assert (gain <= loop.max_gain).all()


def test_gain_control_of_a_large_gain_is_length_normalization_to_one_over_the_gain():
    y = torch.randn(3, 50, dtype=torch.float64)
    error = [(GainControl(max_gain=a).forward(y) / Length().forward(y) - 1).abs().max() for a in (1e3, 1e4, 1e5)]
    assert error[0] / error[1] == pytest.approx(10, rel=0.01) and error[1] / error[2] == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize("normalizer", ALL, ids=lambda n: type(n).__name__)
def test_an_overflow_does_not_pass_for_silence(normalizer):
    x = normalizer.forward(torch.tensor([[1e30, 2e30, 3e30, 1e30]]))
    assert not (x == 0).any()


def test_a_hebbian_update_leaves_the_normalized_output_of_a_rectifier_unchanged():
    """Hinton (2022), section 2: so all layers can learn at once."""
    w, x = torch.randn(30, 20, dtype=torch.float64), torch.randn(20, dtype=torch.float64)
    y = torch.relu(w @ x)
    after = torch.relu((w + 0.1 * torch.outer(y, x)) @ x)
    torch.testing.assert_close(length_normalize(after), length_normalize(y))


@pytest.mark.parametrize("normalizer", ALL, ids=lambda n: type(n).__name__)
def test_backprop_goes_back_through_the_networks_own(normalizer):
    chips = make_chips(sizes=(20, 16, 12))
    weights = [w.requires_grad_() for w in weights_of(chips)]
    options = Backprop.Options(through="oracle")
    rule = Backprop(chips.seal(Backprop.needs(options), normalizer), options, seed=0)
    gradients, (images, labels) = capture_gradients(rule), make_batch()
    rule.step(images, labels)
    x = normalizer.forward(images).expand(2, -1, -1)
    for w in weights[:-1]:
        x = normalizer.of_channels(w.shape[-2]).forward(torch.relu(x @ w.mT))
    loss = torch.nn.functional.cross_entropy((x @ weights[-1].mT).flatten(0, 1), labels.repeat(2)) * 2
    for n, expected in enumerate(torch.autograd.grad(loss, weights)):
        torch.testing.assert_close(gradients[n], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("normalizer", ALL, ids=lambda n: type(n).__name__)
def test_every_pass_of_forward_forward_hears_the_networks_own(normalizer):
    chips = make_chips(sizes=(20, 16, 12))
    options = ForwardForward.Options(slope="assumed", label_strength=1.0)
    network = chips.seal(ForwardForward.needs(options), normalizer)
    rule, heard = ForwardForward(network, options, seed=0), []
    weights = weights_of(chips)
    for optimizer in rule.optimizers:
        optimizer.descend = lambda errors, x: heard.append(x)
    images, labels = make_batch()
    rule.step(images, labels)
    last, first, second = heard  # by the head from a neutral pass, then by the layers
    of_first = normalizer.of_channels(weights[0].shape[-2])
    torch.testing.assert_close(second, of_first.forward(torch.relu(first.whole() @ weights[0].mT)))
    x = normalizer.forward(overlay_neutral(images, 10)).expand(2, -1, -1)
    for w in weights[:-1]:
        x = normalizer.of_channels(w.shape[-2]).forward(torch.relu(x @ w.mT))
    torch.testing.assert_close(last, x)
    logits = x @ weights[-1].mT  # and whoever asks the whole network
    assert torch.equal(network.classify(overlay_neutral(images, 10)), logits.argmax(-1))


def test_a_mean_is_counted_where_one_is_removed():
    """A sum and a difference more for each number, on the way there; a sum and a difference more on the way back."""
    macs = []
    for normalizer in (Length(), Standardization()):
        chips = make_chips(sizes=(20, 16, 12))
        options = Backprop.Options(through="oracle")
        rule = Backprop(chips.seal(Backprop.needs(options), normalizer), options, seed=0)
        images, labels = make_batch()
        rule.step(images, labels)
        macs.append(sum(chips.ledger[name].macs for name in chips.names))
    there, back = len(images) * (20 + 16 + 12), len(images) * (16 + 12)
    assert macs[1] - macs[0] == 2 * there + 2 * back


def test_names_are_those_of_a_study():
    names = ("length", "l2", "none", "gain-control", "layer", "group")
    named = {name: make_normalizer(name, groups=3, max_gain=2.0, offset=0.1) for name in names}
    assert [type(n) for n in named.values()][:4] == [Length, L2, Unchanged, GainControl]
    assert (named["layer"], named["group"]) == (Standardization(), Standardization(3))
    assert named["gain-control"] == GainControl(max_gain=2.0, offset=0.1)
