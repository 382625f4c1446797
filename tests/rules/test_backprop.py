import dataclasses

import pytest
import torch
from pydantic import ValidationError
from scipy.stats import chi2

from analogff.device import BlackBoxError, ContractError, Observable
from analogff.network.beliefs import CURVES
from analogff.network.normalization import length_normalize
from analogff.network.twin import Twin, believed
from analogff.rules.backprop import Backprop
from tests.helpers.fakes import Mixed, Tanh, capture_gradients, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = Backprop.Options(**options)
    return Backprop(chips.seal(Backprop.needs(chosen)), chosen, seed=0)


def autograd_gradients(weights, images, labels, curve):
    weights = [w.clone().requires_grad_() for w in weights]
    x = length_normalize(images)
    for w in weights[:-1]:
        x = length_normalize(curve(x @ w.T))
    loss = torch.nn.functional.cross_entropy(curve(x @ weights[-1].T) if curve is None else x @ weights[-1].T, labels)
    return torch.autograd.grad(loss, weights)


@pytest.mark.parametrize("through", ["twin", "deployed", "oracle"])
@pytest.mark.parametrize("curve", [torch.relu, torch.tanh], ids=["relu", "tanh"])
def test_on_an_ideal_device_all_three_give_the_gradient_of_autograd(through, curve):
    chips = make_chips(curve=curve)
    rule = make_rule(chips, through=through)
    gradients, (images, labels) = capture_gradients(rule), make_batch()
    rule.step(images, labels)
    for chip in range(2):
        expected = autograd_gradients([w[chip] for w in weights_of(chips)], images, labels, curve)
        for n, gradient in enumerate(expected):
            torch.testing.assert_close(gradients[n][chip], gradient, rtol=1e-4, atol=1e-6)


def test_the_oracle_is_the_gradient_of_autograd_where_neurons_act_on_each_other():
    chips = make_chips(model=Mixed, curve=torch.tanh)
    rule = make_rule(chips, through="oracle")
    gradients, (images, labels) = capture_gradients(rule), make_batch()
    rule.step(images, labels)
    for chip in range(2):
        weights = [w[chip].clone().requires_grad_() for w in weights_of(chips)]
        x = length_normalize(images)
        for w, device in zip(weights[:-1], chips.devices, strict=False):
            x = length_normalize(torch.tanh(x @ w.T) @ device.mixing.mT)
        loss = torch.nn.functional.cross_entropy(x @ weights[-1].T, labels)
        for n, gradient in enumerate(torch.autograd.grad(loss, weights)):
            torch.testing.assert_close(gradients[n][chip], gradient, rtol=1e-4, atol=1e-6)


def test_a_pullback_is_the_truth_and_shown_to_nobody_else():
    layer = make_chips(model=Mixed).seal(Observable.ACTIVITY).layers[0]
    x, error = torch.rand(2, 3, 20), torch.rand(2, 3, 16)
    with pytest.raises(BlackBoxError, match="ORACLE"):
        layer.pullback(x, error)
    layer = make_chips(model=Mixed).seal(Observable.ORACLE).layers[0]
    assert layer.pullback(x, error).shape == error.shape
    with pytest.raises(ContractError, match="Expected errors of layer 1 of shape .* Got .2, 3, 5."):
        layer.pullback(x, error[..., :5])
    assert make_chips().seal(Observable.ORACLE).layers[0].pullback(x, error) is None


def test_the_twin_believes_its_datasheet_even_where_it_is_wrong():
    """Forward on the chip (tanh), backward through the printed curve (a rectifier)."""
    chips = make_chips(sizes=(20, 16), curve=torch.tanh, printed=torch.relu, seeds=(0,))
    rule = make_rule(chips, through="twin")
    gradients, (images, labels) = capture_gradients(rule), make_batch()
    rule.step(images, labels)
    hidden, head = (w[0].clone().requires_grad_() for w in weights_of(chips))
    x = length_normalize(images)
    believed = torch.relu(x @ hidden.T)
    y = believed + (torch.tanh(x @ hidden.T) - believed).detach()  # the measured value, the believed slope
    loss = torch.nn.functional.cross_entropy(length_normalize(y) @ head.T, labels)
    torch.testing.assert_close(gradients[0][0], torch.autograd.grad(loss, hidden)[0], rtol=1e-4, atol=1e-6)


def test_the_twin_keeps_a_record_of_what_it_asked_for():
    chips = make_chips()
    rule = make_rule(chips, through="twin")
    for _ in range(3):
        rule.step(*make_batch())
    for view, weights in zip(rule.backward_views, weights_of(chips), strict=True):
        torch.testing.assert_close(view.twin.weights, weights)


def test_deployed_trains_without_a_read_and_programs_at_the_end_of_an_epoch():
    chips = make_chips()
    rule = make_rule(chips, through="deployed")
    before = weights_of(chips)
    for _ in range(3):
        rule.step(*make_batch())
    assert chips.ledger.total("reads") == 0
    assert all(torch.equal(a, b) for a, b in zip(before, weights_of(chips), strict=True))
    rule.finish_epoch()
    for view, weights in zip(rule.backward_views, weights_of(chips), strict=True):
        assert torch.equal(view.twin.weights, weights)


@pytest.mark.parametrize("noise_aware", [True, False])
def test_deployed_trains_with_the_noise_that_the_datasheet_prints(noise_aware):
    """In the model: outputs scatter about the noiseless ones with the printed deviation, a sample of its own each read."""
    n, sigma = 4000, torch.tensor([0.1, 0.3])
    chips = make_chips()
    for device in chips.devices:
        device.datasheet = dataclasses.replace(device.datasheet, read_noise=sigma)
    view = make_rule(chips, through="deployed", noise_aware=noise_aware).backward_views[0]
    x = torch.rand(2, n, 20)
    exact = view.twin.respond(x).y
    first, second = (view.respond(x).y - exact for _ in range(2))
    if not noise_aware:
        assert not first.any() and not second.any()
        return
    samples = n * 16
    low, high = chi2.ppf([1e-4, 1 - 1e-4], samples) / samples
    for chip in range(2):
        for noise in (first[chip], second[chip]):
            assert low < noise.double().square().mean() / sigma[chip] ** 2 < high
        assert abs((first[chip] * second[chip]).mean()) < 4 * sigma[chip] ** 2 / samples**0.5


def test_a_twin_believes_in_no_weight_beyond_the_printed_limit():
    chips = make_chips(sizes=(20, 16), seeds=(0, 1))
    for device in chips.devices:
        device.datasheet = dataclasses.replace(device.datasheet, weight_max=torch.tensor([0.5, 2.0]))
    layer = chips.seal(Observable.TWIN).layers[0]
    twin = Twin(layer, 0, believed(layer, "datasheet"))
    before = twin.weights.clone()
    change = torch.linspace(-3, 3, 20).expand(2, 16, 20)
    twin.change(change)
    for chip, limit in enumerate((0.5, 2.0)):
        assert torch.equal(twin.weights[chip], (before + change)[chip].clamp(-limit, limit))
    assert (twin.weights.amax((1, 2)) == torch.tensor([0.5, 2.0])).all(), "the limit was met"


def test_all_chips_of_a_twin_begin_with_the_weights_that_were_programmed():
    chips = make_chips()
    make_rule(chips, through="twin")
    for weights in weights_of(chips):
        assert torch.equal(weights[0], weights[1])


def test_a_twin_cannot_ask_the_oracle():
    rule = make_rule(make_chips(), through="twin")
    with pytest.raises(BlackBoxError, match="ORACLE"):
        rule.network.layers[0].oracle(torch.zeros(2, 1, 20))


def test_levels():
    levels = [Backprop.needs(Backprop.Options(through=t)) for t in ("twin", "deployed", "oracle")]
    assert levels == [Observable.TWIN, Observable.TWIN, Observable.ORACLE]


def sine(a):
    """A curve that turns, so that a wrong belief has wrong signs."""
    return torch.sin(2 * a).square()


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ({}, Observable.TWIN),
        ({"believes": "relu"}, Observable.ACTIVITY),
        ({"through": "fitted"}, Observable.ACTIVITY),
        ({"through": "probed"}, Observable.PROBE),
        ({"believes": "relu", "max_step": "measured"}, Observable.PROBE),
        ({"through": "oracle", "max_step": "measured"}, Observable.ORACLE),
    ],
)
def test_a_belief_of_ones_own_needs_no_datasheet(told, level):
    assert Backprop.needs(Backprop.Options(**told)) == level
    chips = make_chips(curve=sine)
    make_rule(chips, **told).step(*make_batch())


@pytest.mark.parametrize(
    ("told", "least"),
    [
        ({"through": "probed", "probe": 0.01}, 0.999),
        ({"through": "fitted", "fit_reads": 4000}, 0.97),
        ({"believes": "non-monotone"}, 0.5),
    ],
)
def test_the_gradient_is_nearly_the_oracles_where_curves_are_known(told, least):
    """A chip programmed exactly, with no noise; the same programmed weights in both rules."""
    chips, (images, labels) = make_chips(curve=sine, seeds=(0,)), make_batch()
    rule = make_rule(chips, **told)
    gradients = capture_gradients(rule)
    rule.step(images, labels)
    truth = Backprop(chips.seal(Observable.ORACLE), Backprop.Options(through="oracle"), seed=0)
    exact = capture_gradients(truth)
    truth.step(images, labels)
    cosine = torch.cosine_similarity(gradients[0].flatten(), exact[0].flatten(), 0).item()
    assert cosine > least if least > 0.5 else cosine < least


@pytest.mark.parametrize(
    ("told", "least"), [({"through": "probed", "probe": 0.01}, 0.999), ({"through": "fitted", "fit_reads": 4000}, 0.97)]
)
def test_what_stands_behind_digital_weights_has_slopes_of_its_own(told, least):
    """A box that clips hard: its slopes are far from those of a line, for which the cosine is below 0.9."""
    chips, (images, labels) = make_chips(model=Tanh, seeds=(0,)), make_batch()
    rule = make_rule(chips, **told)
    gradients = capture_gradients(rule)
    with torch.no_grad():
        for device in chips.devices[:-1]:
            device.digital.weights.mul_(4)
        for view in rule.backward_views[:-1]:
            weights = view.register.weights if told["through"] == "probed" else view.twin.weights
            weights.mul_(4)
    rule.step(images, labels)
    weights = [device.digital.weights[0] for device in chips.devices[:-1]] + [chips.devices[-1].weights[0]]
    cosines = {}
    for curve in (torch.tanh, lambda a: a):
        exact = autograd_gradients(weights, images, labels, curve)[0]
        cosines[curve] = torch.cosine_similarity(gradients[0].flatten(), exact.flatten(), 0).item()
    assert cosines[torch.tanh] > least and min(cosines.values()) < 0.9


def test_a_wrong_belief_has_the_believed_slope():
    chips, (images, _) = make_chips(curve=sine, seeds=(0,)), make_batch()
    rule = make_rule(chips, believes="linear")
    view, x = rule.backward_views[0], rule.network.present(images)
    assert (view.respond(x).slope == 1).all()
    torch.testing.assert_close(view.respond(x).y, sine(x @ view.twin.weights.mT))


@pytest.mark.parametrize("told", [{}, {"believes": "non-monotone"}, {"believes": "sigmoid", "through": "deployed"}])
def test_a_belief_that_is_off_has_the_gradient_of_the_altered_curve(told):
    """A twin with f(s (a + o)) on a chip of that very curve: the gradient is autograd's."""
    s, o = 1.7, -0.4
    nominal = CURVES[told.get("believes", "saturating")]
    chips = make_chips(curve=lambda a: nominal(s * (a + o)), printed=nominal)
    rule = make_rule(chips, believed_steepness=s, believed_offset=o, **told)
    gradients, (images, labels) = capture_gradients(rule), make_batch()
    rule.step(images, labels)
    for chip in range(2):
        weights = [w[chip] for w in weights_of(chips)]
        expected = autograd_gradients(weights, images, labels, lambda a: nominal(s * (a + o)))
        for n, gradient in enumerate(expected):
            torch.testing.assert_close(gradients[n][chip], gradient, rtol=1e-4, atol=1e-6)


def test_a_belief_that_is_off_by_nothing_is_bitwise_the_belief():
    answers = []
    for told in ({}, {"believed_steepness": 1.0, "believed_offset": 0.0}, {"believed_steepness": 1.01}):
        rule = make_rule(make_chips(curve=sine), believes="sigmoid", **told)
        rule.step(*make_batch())
        answers.append(torch.cat([view.twin.weights.flatten() for view in rule.backward_views]))
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])


def test_fitting_costs_its_reads():
    chips = make_chips()
    make_rule(chips, through="fitted", fit_reads=123)
    assert [chips.ledger.of(name).reads for name in chips.names] == [123, 123, 0]


def test_what_is_deployed_learns_on_on_the_chip_from_its_share_on():
    chips, batch = make_chips(), make_batch()
    rule = make_rule(chips, through="deployed", fine_tune_from=0.5, noise_aware=False)
    reads = []
    for progress in (0.0, 0.4, 0.5, 0.9):
        rule.advance(progress)
        rule.step(*batch)
        rule.finish_epoch()
        reads.append(chips.ledger.of("layer 1").reads)
    assert reads == [0, 0, 30, 60]
    for device, view in zip(chips.devices, rule.backward_views, strict=True):
        torch.testing.assert_close(device.weights, view.twin.weights)


def test_options_without_effect_are_refused():
    for told in (
        {"through": "oracle", "believes": "relu"},
        {"through": "fitted", "believed_steepness": 2.0},
        {"through": "probed", "believed_offset": 0.5},
        {"through": "probed", "fit_reads": 100},
        {"through": "twin", "probe": 0.5},
        {"through": "twin", "fine_tune_from": 0.5},
    ):
        with pytest.raises(ValidationError, match="does nothing"):
            Backprop.Options(**told)
