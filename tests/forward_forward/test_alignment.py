r"""What the slopes `assumed` and `probed` have to do with the truth, from a single sample to a whole update.

For one sample with activity ``y = f(a)``, `assumed` and the truth differ by a factor a neuron, so that

.. math:: \langle \Delta_{assumed}, \Delta_{true} \rangle = |x|^2 \sum_{j: y_j > 0} y_j^2 f'(a_j)

which cannot be negative if ``f' >= 0`` wherever ``f > 0``: every increasing ``f`` will do, whatever its sign, and so
will one that falls only where it is negative. For a pair of inputs of equal length, pushed apart with equal force
(losses symba and swish), the same holds if ``f f'`` rises with ``f``, which is that ``f^2`` is convex, and for no less.
"""

import numpy as np
import pytest
import torch

from analogff.device import outer
from analogff.rules.forward_forward import ForwardForward
from analogff.rules.weight_perturbation import WeightPerturbation
from analogff.slopes.slopes import Assumed, Oracle
from hardware_models.effects.nonlinearity import FAMILIES
from tests.helpers.fakes import capture_gradients, make_batch, make_chips

SEEDS = tuple(range(24))
GRID = torch.linspace(-6, 6, 2401, dtype=torch.float64)
INCREASING = {name: family.nominal for name, family in FAMILIES.items() if (family.nominal(GRID).diff() >= 0).all()}
SIGNED = {"tanh": torch.tanh, "leaky": torch.nn.functional.leaky_relu}
FALLS_BELOW_ZERO = {"sin2 below": lambda a: torch.where(a > 0, a, -torch.sin(a).square())}
FALLS_ABOVE_ZERO = {
    "sin2": lambda a: torch.sin(a).square(),
    "bump": lambda a: torch.exp(-a.square()),
    "dip": lambda a: a - 1.5 * torch.sin(a),
}


def asked(slope, layer, x):
    """What a sample asks of the weights, up to the force of the loss."""
    reading = slope.read(layer, x)
    return outer(reading.back(reading.y.clone()), x)


def agreement(curve, batch=1, **chips):
    """Inner products of what `assumed` and the truth ask, one a chip, and the sum of them by the formula."""
    chips = make_chips(sizes=(30, 25), curve=curve, **{"seeds": SEEDS} | chips)
    layer = chips.seal(Oracle.needs).layers[0]
    x = 2 * torch.randn(len(SEEDS), batch, 30, generator=torch.Generator().manual_seed(1))
    y, slope = layer.measure(x), layer.oracle(x).slope
    formula = x.square().sum((1, 2)) * (y.square() * slope * (y > 0)).sum((1, 2))
    return (asked(Assumed(), layer, x) * asked(Oracle(), layer, x)).sum((1, 2)), formula


@pytest.mark.parametrize("curve", [*INCREASING.values(), *SIGNED.values(), *FALLS_BELOW_ZERO.values()])
def test_on_one_sample_assumed_never_descends_where_no_active_neuron_falls(curve):
    products, formula = agreement(curve)
    torch.testing.assert_close(products, formula, rtol=1e-3, atol=1e-3)
    assert (products >= 0).all() and (products > 0).float().mean() > 0.9


def test_the_families_called_increasing_are_all_but_one():
    assert set(FAMILIES) - set(INCREASING) == {"non-monotone"}


@pytest.mark.parametrize("curve", FALLS_ABOVE_ZERO.values())
def test_the_condition_is_exact(curve):
    """Where a curve falls at a positive activity, the layer that has its only neuron there goes the wrong way."""
    y = curve(GRID)
    falling = GRID[:-1][(y.diff() < -1e-4) & (y[1:] > 1e-3)]
    device = make_chips(sizes=(1, 1), curve=curve, seeds=(0,))
    device.devices[0].weights.fill_(1.0)
    layer = device.seal(Oracle.needs).layers[0]
    for a in falling[:: max(1, len(falling) // 20)].float():
        x = a.reshape(1, 1, 1)
        assert (asked(Assumed(), layer, x) * asked(Oracle(), layer, x)).sum() < 0


def pair(curve, gain=1.0, **options):
    """Cosines of the update that a pair asks for by slope `assumed` and by the truth, one a chip."""
    images, labels = make_batch(1, n_in=30)
    updates = []
    for slope in ("assumed", "oracle"):
        chips = make_chips(sizes=(30, 25), curve=lambda a: curve(gain * a), seeds=SEEDS)
        chosen = ForwardForward.Options(slope=slope, negatives="random", **options)
        rule = ForwardForward(chips.seal(ForwardForward.needs(chosen)), chosen, seed=0)
        gradients = capture_gradients(rule)
        rule.step(images, labels)
        updates.append(gradients[0].flatten(1).double())
    return torch.cosine_similarity(*updates, dim=1)


@pytest.mark.parametrize("loss", ["symba", "swish"])
@pytest.mark.parametrize("name", ["relu", "softplus", "exponential"])
def test_on_a_pair_assumed_never_descends_where_the_square_is_convex(name, loss):
    gain = 1.0 if name != "exponential" else 0.2  # below the clip, which is not convex
    assert (pair(FAMILIES[name].nominal, gain, loss=loss) > 0).all()


@pytest.mark.parametrize("name", ["saturating", "sigmoid"])
def test_on_a_pair_of_a_saturating_curve_increasing_is_not_enough(name):
    """What is pushed up most by the truth is not what is most active: the objective of a pair may turn round."""
    found = pair(FAMILIES[name].nominal, gain=8.0, label_strength=1.0)
    assert (found < 0).any()


def slope_of_log(widths, cosines):
    return np.polyfit(np.log(widths), np.log(cosines), 1)[0]


def probed_cosine(width, batches=6):
    """Mean over batches and chips of the cosine, at noise, to the update without noise by the true slope."""
    found = []
    for options, noise in (({"slope": "probed", "probe": 0.5}, 0.2), ({"slope": "oracle"}, 0.0)):
        chips = make_chips(sizes=(30, width), curve=torch.tanh, noise=noise, seeds=range(8))
        chosen = ForwardForward.Options(negatives="random", scale=2.0, **options)
        rule = ForwardForward(chips.seal(ForwardForward.needs(chosen)), chosen, seed=0)
        gradients, updates = capture_gradients(rule), []
        for n in range(batches):
            rule.step(*make_batch(100, n_in=30, seed=n))
            updates.append(gradients[0].flatten(1).double())
        found.append(torch.stack(updates))
    return torch.cosine_similarity(*found, dim=-1).mean().item()


def perturbed_cosine(width, steps=6):
    """Root mean square over chips and directions of the same for weight perturbation, without any noise."""
    chips = make_chips(sizes=(30, width), seeds=range(8))
    chosen = WeightPerturbation.Options(directions=4, size=1e-2)
    rule = WeightPerturbation(chips.seal(WeightPerturbation.needs(chosen)), chosen, seed=0)
    gradients, (images, labels) = capture_gradients(rule), make_batch(100, n_in=30)
    first, head = (device.weights.clone().requires_grad_() for device in chips.devices)
    y = torch.relu(rule.network.present(images) @ first.mT)
    logits = (y / y.square().mean(-1, keepdim=True).sqrt()) @ head.mT
    loss = sum(torch.nn.functional.cross_entropy(z, labels) for z in logits)
    truth = torch.cat([g.flatten(1) for g in torch.autograd.grad(loss, (first, head))], dim=1)
    squares = []
    for _ in range(steps):
        rule.step(images, labels)
        asked_for = torch.cat([gradients[n].flatten(1) for n in range(2)], dim=1)
        squares.append(torch.cosine_similarity(asked_for.double(), truth.double(), dim=1).square())
    return torch.stack(squares).mean().sqrt().item()


@pytest.mark.slow
def test_the_angle_of_a_probed_update_does_not_grow_with_the_width_and_that_of_a_random_direction_does():
    """Exponents of the cosine against the number of neurons: 0, and -1/2 by ``cos^2 = 1 / (1 + (P + 1) / K)``."""
    widths = np.array([32, 128, 512])
    probed = [probed_cosine(width) for width in widths]
    assert 0.2 < min(probed) and max(probed) < 0.9, "there must be something to lose, and to gain"
    assert abs(slope_of_log(widths, probed)) < 0.03
    # 8 chips x 6 steps of 4 directions: each cosine is known to 5 %, the slope to 0.03
    perturbed = [perturbed_cosine(width) for width in widths]
    assert slope_of_log(widths, perturbed) == pytest.approx(-0.5, abs=0.08)
    law = 1 / np.sqrt(1 + (40 * widths + 1) / 4)
    np.testing.assert_allclose(perturbed, law, rtol=0.25)
