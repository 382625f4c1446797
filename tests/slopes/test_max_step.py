import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from analogff.device import Observable, Sealed, fabricate
from analogff.slopes.max_step import SHARE, TURNED, MaxStep, limits, turning_distance
from analogff.support.state import restore, state_of
from tests.helpers.fakes import Curved, Leaky, make_chips

RISING = [
    torch.relu,
    torch.tanh,
    torch.sigmoid,
    lambda a: torch.tanh(torch.relu(a)),
    lambda a: (a - 1).clamp(max=1.4).exp(),
]


def layer(curve, noise=0.0, seeds=(0,)):
    device = fabricate(Curved, 30, 40, seeds=list(seeds), parameters={"curve": curve, "noise": noise})
    return Sealed(device, chips=len(seeds), level=Observable.PROBE)


def inputs(chips=1, strength=1.0):
    x = torch.randn(200, 30, generator=torch.Generator().manual_seed(0))
    return strength * x.expand(chips, -1, -1)


def squared_sine(a):
    return torch.sin(a).square()


def agreement(distance):
    """Of the slopes sin(2 a) of a squared sine whose angles are spread evenly."""
    angles = np.linspace(0, 2 * np.pi, 10_000, endpoint=False)
    products = np.sin(angles - distance) * np.sin(angles + distance)
    return products.sum() / np.abs(products).sum()


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_slopes_of_an_interferometer_turn_where_its_formula_says(noise):
    expected = brentq(lambda d: agreement(d) - TURNED, 0.1, 1.5)
    found = turning_distance(layer(squared_sine, noise), inputs(strength=5.0)).item()
    assert abs(found / expected - 1) < 0.15  # interpolated between distances that double


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("curve", RISING)
@pytest.mark.parametrize("sign", [1, -1])
def test_slopes_of_one_sign_never_turn(curve, noise, sign):
    assert turning_distance(layer(lambda a: sign * curve(a), noise), inputs()).isinf().all()


def test_no_unit_of_the_weighted_sum_need_be_known():
    """A chip in units a thousand times as small turns a thousand times as far."""
    near = turning_distance(layer(squared_sine), inputs(strength=5.0)).item()
    far = turning_distance(layer(lambda a: squared_sine(a / 1000)), inputs(strength=5000.0)).item()
    assert abs(far / near / 1000 - 1) < 0.01


def test_the_rate_is_such_that_a_step_stays_within():
    x, box = inputs(strength=5.0), layer(squared_sine)
    distance = turning_distance(layer(squared_sine), x).item()
    most = 0.01 * MaxStep(0.01).of(box, x).item() * x.abs().sum(-1).mean().item()
    assert most == pytest.approx(SHARE * distance, rel=1e-5)
    assert MaxStep(1e-6).of(box, x).item() == 1.0


def test_it_is_measured_once_and_remembered():
    max_step, box = MaxStep(0.01), layer(squared_sine)
    first = max_step.of(box, inputs(strength=5.0))
    spent = box.ledger.total("reads")
    assert torch.equal(max_step.of(box, inputs()), first) and box.ledger.total("reads") == spent
    again = MaxStep(0.01)
    restore(again, state_of(max_step))
    assert torch.equal(again.of(box, inputs()), first)


def test_each_chip_has_its_own_whatever_its_bank():
    both = turning_distance(layer(squared_sine, 0.05, seeds=(0, 1)), inputs(2, 5.0))
    alone = turning_distance(layer(squared_sine, 0.05, seeds=(1,)), inputs(1, 5.0))
    assert torch.equal(both[1:], alone)


@pytest.mark.parametrize(
    ("choice", "level", "expected"),
    [
        ("auto", Observable.PROBE, 2),
        ("auto", Observable.ORACLE, 2),
        ("auto", Observable.ACTIVITY, 0),  # whoever sees no slopes may not probe for their turn either
        ("free", Observable.PROBE, 0),
        ("measured", Observable.PROBE, 2),
    ],
)
def test_steps_are_limited_where_slopes_are_seen(choice, level, expected):
    layers = make_chips().seal(level).layers
    assert len(limits(choice, layers, 0.003)) == expected
    assert limits("auto", make_chips(model=Leaky).seal(Observable.ACTIVITY).layers, 0.003) == []
