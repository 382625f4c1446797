"""Rules on layers that are convolutions: what they ask for, and that they learn."""

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from analogff.catalog import resolve_rule, rule_names
from analogff.data import ImageShape, load_dataset
from analogff.network import ConvolutionLayer
from analogff.network.standardization import Standardization
from hardware_models.memory_cells.reram import ReRAM
from tests.helpers.convolved import CLASSES, IMAGE, LAYERS, hold, make, maps, weights_of

SATURATING = {"curve": torch.tanh, "noise": 0.02}
LEARNS = {  # options with which three epochs of 1,400 digits are enough, channels, and the error in percent to be beaten
    "forward-forward": ({"learning_rate": 0.01, "label_strength": 1.0}, (16, 32), 50),
    "asge": ({"learning_rate": 0.01, "scale": 16.0}, (16, 32), 40),
    "mono-forward": ({"learning_rate": 0.01}, (8, 12), 20),
    "direct-feedback-alignment": ({"learning_rate": 0.01}, (8, 12), 65),
    "competitive-forward": ({"learning_rate": 0.01}, (20, 40), 60),
    "centroid-forward": ({"learning_rate": 0.01}, (8, 12), 30),
    "forward-gradient": ({"learning_rate": 0.01}, (8, 12), 20),
    "backprop": ({"learning_rate": 0.01, "through": "probed"}, (8, 12), 20),
    "weight-perturbation": ({"learning_rate": 0.02, "directions": 6, "size": 0.05}, (8, 12), 75),
    "node-perturbation": ({"learning_rate": 0.02, "directions": 6}, (8, 12), 65),
}


def batch(n=9):
    own = torch.Generator().manual_seed(1)
    return torch.rand(n, IMAGE.n_in, generator=own), torch.randint(CLASSES, (n,), generator=own)


@pytest.mark.parametrize("kind", ["max", "average"])
def test_backprop_on_ideal_chips_asks_for_the_gradient_of_autograd(kind):
    """Of two convolutions, a pooling, a dense layer and the head, to the rounding of single precision."""
    _asks_for_the_gradient((ConvolutionLayer(conv=4, pool=2, pool_kind=kind), *LAYERS[1:]))


def test_groups_of_channels_ask_for_the_gradient_of_autograd():
    _asks_for_the_gradient((ConvolutionLayer(conv=4, groups=2, pool=2), ConvolutionLayer(conv=6, groups=2), 7))


def _asks_for_the_gradient(layers):
    rule, chips = make("backprop", layers=layers, through="oracle")
    held, (images, labels) = hold(rule), batch()
    losses = rule.step(images, labels)
    for chip, loss in enumerate(losses):
        weights = weights_of(chips, chip)
        wanted = cross_entropy(maps(weights, images, layers)[1], labels)
        wanted.backward()
        torch.testing.assert_close(loss, wanted.detach())
        for n, own in enumerate(weights):
            torch.testing.assert_close(held[n][chip], own.grad, rtol=1e-4, atol=1e-5 * float(own.grad.abs().max()))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *(("backprop", {"through": through}) for through in ("twin", "fitted", "probed")),
        *(("mono-forward", {"slope": slope}) for slope in ("assumed", "fitted", "probed")),
        ("mono-forward", {"write": "sign", "learning_rate": 0.01}),
        *((rule, {}) for rule in ("forward-forward", "asge", "centroid-forward", "direct-feedback-alignment")),
        *((rule, {}) for rule in ("node-perturbation", "weight-perturbation", "forward-gradient", "pepita")),
    ],
)
def test_every_kind_of_rule_learns_with_groups_of_channels(name, told):
    """Weights of each group move, and those of a chip as they would without its neighbor."""
    layers = (ConvolutionLayer(conv=4, groups=2, pool=2), ConvolutionLayer(conv=6, groups=2))
    moved = []
    for seeds in ((0, 1), (1,)):
        rule, chips = make(name, ReRAM, layers=layers, seeds=seeds, **told)
        before = [own.detach() for own in weights_of(chips, -1)]
        for _ in range(3):
            rule.step(*batch())
        moved.append([own.detach() - was for own, was in zip(weights_of(chips, -1), before, strict=True)])
    assert all(change.unflatten(0, (2, -1)).flatten(1).abs().sum(1).gt(0).all() for change in moved[0][:2])
    for together, alone in zip(*moved, strict=True):
        torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("groups", [1, 2])
def test_errors_go_back_through_groups_of_channels(groups):
    layers = (ConvolutionLayer(conv=4, pool=2), ConvolutionLayer(conv=6, stride=2, padding=0, kernel=2), 8)
    rule, chips = make("backprop", layers=layers, between=Standardization(groups), through="oracle")
    held, (images, labels) = hold(rule), batch()
    losses = rule.step(images, labels)
    weights = weights_of(chips, 0)
    wanted = cross_entropy(maps(weights, images, layers, groups=groups)[1], labels)
    wanted.backward()
    torch.testing.assert_close(losses[0], wanted.detach())
    for n, own in enumerate(weights):
        torch.testing.assert_close(held[n][0], own.grad, rtol=1e-4, atol=1e-5 * float(own.grad.abs().max()))


def test_mono_forward_descends_the_loss_of_each_map():
    rule, chips = make("mono-forward", slope="oracle")
    held, (images, labels) = hold(rule), batch()
    projections = [objective.weights.clone() for objective in rule.objectives]
    rule.step(images, labels)
    weights = weights_of(chips, 0)
    for n, projection in enumerate(projections):
        activity = maps(weights, images)[0][n]
        (gradient,) = torch.autograd.grad(cross_entropy(activity @ projection[0].mT, labels), weights[n])
        torch.testing.assert_close(held[n][0], gradient, rtol=1e-4, atol=1e-5 * float(gradient.abs().max()))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("competitive-forward", {}),
        ("competitive-forward", {"goodness": "activities"}),
        ("asge", {}),
        ("centroid-forward", {}),
    ],
)
def test_the_goodness_of_channels_has_the_derivative_of_autograd(name, told):
    rule, _ = make(name, layers=(ConvolutionLayer(conv=6, pool=2), 12), **told)
    y = torch.rand(2, 5, 6 * 36, requires_grad=True)
    scores, error = rule.objectives[0].scores(y), torch.randn(2, 5, CLASSES)
    (wanted,) = torch.autograd.grad((scores * error).sum(), y)
    torch.testing.assert_close(rule.objectives[0].by_activity(y.detach(), error), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("goodness", "power"), [("squares", 2), ("activities", 1)])
def test_channels_belong_to_classes_with_their_whole_maps(goodness, power):
    """Seven channels: two classes have two, three have one."""
    rule, _ = make("competitive-forward", layers=(ConvolutionLayer(conv=7),), scale=3.0, goodness=goodness)
    y = torch.rand(2, 4, 36 * 7)
    maps = (y**power).view(2, 4, 36, 7).mean(2)
    wanted = torch.stack([3 * part.mean(-1) for part in maps.split([2, 2, 1, 1, 1], -1)], -1)
    torch.testing.assert_close(rule.objectives[0].scores(y), wanted)
    with pytest.raises(ValueError, match="at least 5 neurons in layer 1, one a class. Got 4"):
        make("competitive-forward", layers=(ConvolutionLayer(conv=4),))


def test_forward_forward_descends_the_loss_of_the_mean_square_over_the_map():
    """With all negatives; labels are on the lines over the first pixels, which all positions hear."""
    told = {"negatives": "all", "loss": "symba", "scale": 1.0, "slope": "oracle", "prediction": "goodness"}
    rule, chips = make("forward-forward", layers=LAYERS[:1], image=ImageShape(1, 6, 6), chip=None, **told)
    held, labels = hold(rule), torch.tensor([2, 0, 4])
    images = torch.rand(3, 36)
    (loss, _) = rule.step(images, labels)
    device = chips.devices[0]
    weights, strength = device.bank.weights[0].clone().requires_grad_(), rule.options.label_strength
    goodness = []
    for label in range(CLASSES):
        marked = images.clone()
        marked[:, :CLASSES] = strength * one_hot(torch.full((3,), label), CLASSES)
        x = marked / marked.square().mean(-1, keepdim=True).sqrt()
        rows = device.datasheet.windows.rows(x[None])[0]
        goodness.append(torch.relu(rows @ weights.mT).view(3, -1).square().mean(-1))
    goodness = torch.stack(goodness, -1)
    true = goodness.gather(-1, labels[:, None])
    wrong = goodness[~one_hot(labels, CLASSES).bool()].view(3, -1)
    wanted = torch.nn.functional.softplus(-(true - wrong)).mean()
    wanted.backward()
    torch.testing.assert_close(loss, wanted.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(held[0][0], weights.grad, rtol=1e-3, atol=1e-5 * float(weights.grad.abs().max()))


def test_reads_are_counted_for_each_position():
    rule, chips = make("backprop", through="oracle", max_step="free")
    rule.step(*batch())
    assert [chips.ledger[name].reads for name in chips.names] == [9 * 36, 9 * 1, 9, 9]


def test_the_digital_work_of_pooling_is_booked_beside_the_layer_that_hears_it():
    with_pool, without = (
        make("weight-perturbation", layers=(ConvolutionLayer(conv=4, pool=pool),), directions=1)[0] for pool in (2, 1)
    )
    images, labels = batch()
    for rule in (with_pool, without):
        rule.network.loss(images, labels)
    head = [rule.network.ledger["head"].macs for rule in (with_pool, without)]
    pooled, whole = 4 * 9, 4 * 36
    assert head[0] - head[1] == 9 * (whole + 2 * pooled - 2 * whole)  # pooling, and less to normalize


@pytest.mark.parametrize(
    "write", ["sign", "pulse-trains", "verify", pytest.param("tiki-taka-2", marks=pytest.mark.slow), "agad"]
)
def test_every_write_of_one_array_goes_with_it(write):
    rule, chips = make("mono-forward", ReRAM, layers=(ConvolutionLayer(conv=4, pool=2),), write=write, max_step="free")
    for _ in range(3):
        assert rule.step(*batch()).isfinite().all()
    assert (torch.as_tensor(chips.ledger["layer 1"].pulses) > 0).all() or write in ("tiki-taka-2", "agad")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(n for n in rule_names() if resolve_rule(n).convolves))
def test_a_chip_learns_the_same_alone_and_in_a_bank(name):
    answers = []
    for seeds in ((1, 2), (2,)):
        rule, _ = make(name, ReRAM, layers=(ConvolutionLayer(conv=6, pool=2),), seeds=seeds)
        losses = [rule.step(*batch())[-1] for _ in range(2)]
        answers.append(torch.stack(losses))
    assert torch.equal(*answers)


@pytest.mark.parametrize("name", sorted(n for n in rule_names() if not resolve_rule(n).convolves))
def test_a_rule_that_cannot_says_so(name):
    rule = resolve_rule(name)
    assert name in rule.why_no_convolution(rule.Options())


def error_after(name, chip, epochs, channels=(8, 12), **told):
    """Return the test error of the digits, in percent; chance is 90, and a guess at 360 images has a spread of 1.6."""
    data, images = load_dataset("digits"), 1400
    first, second = channels
    layers = (ConvolutionLayer(conv=first, pool=2), ConvolutionLayer(conv=second, pool=2, pool_kind="average"))
    rule, _ = make(name, layers=layers, image=ImageShape(1, 8, 8), classes=10, seeds=(0,), chip=chip, **told)
    for _ in range(epochs):
        for n in range(0, images, 50):
            some = slice(n, n + 50)
            rule.step(data.train.images[some], data.train.labels[some])
        rule.finish_epoch()
    return 100 * float((rule.predict(data.test.images) != data.test.labels).float().mean())


@pytest.mark.parametrize("name", ["mono-forward", "backprop"])
def test_it_learns_in_one_epoch(name):
    told = {"through": "probed"} if name == "backprop" else {}
    assert error_after(name, SATURATING, 1, learning_rate=0.01, **told) < 30


@pytest.mark.slow
@pytest.mark.parametrize("chip", [{}, SATURATING], ids=["ideal", "saturating"])
@pytest.mark.parametrize("name", LEARNS)
def test_every_rule_learns_on_its_own(name, chip):
    told, channels, most = LEARNS[name]
    options = resolve_rule(name).Options.model_fields
    probed = {"slope": "probed"} if "slope" in options and name != "node-perturbation" else {}
    assert error_after(name, chip, 3, channels, **told, **probed) < most


@pytest.mark.slow
@pytest.mark.parametrize("through", ["twin", "fitted", "probed", "deployed", "oracle"])
def test_backprop_learns_through_every_path(through):
    assert error_after("backprop", SATURATING, 3, learning_rate=0.01, through=through) < 20
