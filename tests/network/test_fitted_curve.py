"""Curves fitted to reads: exact where they can be, as good as their noise allows, and each chip's own."""

import numpy as np
import pytest
import torch

from analogff.network.beliefs import BELIEFS, CURVES
from analogff.network.fitted_curve import FittedCurves
from analogff.network.twin import value_and_slope
from hardware_models.effects.nonlinearity import FAMILIES


def sums(chips=2, reads=400, n_out=6, seed=0):
    return 2 * torch.randn(chips, reads, n_out, generator=torch.Generator().manual_seed(seed))


def test_a_straight_line_is_exact_inside_and_flat_beyond():
    a = sums()
    fitted = FittedCurves(a, 0.5 * a + 1, "layer")
    y, slope = fitted(a)
    torch.testing.assert_close(y, 0.5 * a + 1, rtol=0, atol=1e-5)
    torch.testing.assert_close(slope.median(), torch.tensor(0.5), rtol=0, atol=1e-4)
    far = torch.full((2, 1, 6), 100.0)
    assert not fitted(far).slope.any()
    torch.testing.assert_close(
        fitted(far).y, (0.5 * a + 1).amax((1, 2), keepdim=True).expand(2, 1, 6), rtol=0, atol=1e-3
    )


@pytest.mark.parametrize("curve", [torch.tanh, lambda a: torch.sin(a) ** 2])
def test_slopes_are_those_of_the_curve(curve):
    a = sums()
    truth = value_and_slope(curve, a)
    fitted = FittedCurves(a, truth.y, "layer")(a)
    assert (fitted.y - truth.y).square().mean().sqrt() < 0.01
    assert (fitted.slope - truth.slope).square().mean().sqrt() < 0.06


def test_noise_averages_out_with_reads():
    """The mean square error of the values falls as one over the reads: log-log slope -1."""
    reads, errors = np.array([50, 200, 800, 3200]), []
    for n in reads:
        a = sums(chips=8, reads=int(n), n_out=1, seed=int(n))
        noise = 0.5 * torch.randn(a.shape, generator=torch.Generator().manual_seed(1 + int(n)))
        a_inside = a.clamp(-2, 2)
        fitted = FittedCurves(a, torch.tanh(a) + noise, "layer")(a_inside)
        errors.append((fitted.y - torch.tanh(a_inside)).square().mean().item())
    slope = np.polyfit(np.log(reads), np.log(errors), 1)[0]
    assert slope == pytest.approx(-1, abs=0.25)


def test_neurons_of_their_own_need_curves_of_their_own():
    a = sums(reads=1000)
    scale = torch.linspace(-1, 1, 6)
    y = torch.tanh(a) * scale
    own = FittedCurves(a, y, "neuron")(a).y
    shared = FittedCurves(a, y, "layer")(a).y
    assert (own - y).square().mean().sqrt() < 0.02
    assert (shared - y).square().mean().sqrt() > 0.3


def test_a_chips_curve_is_the_same_alone():
    a = sums()
    both, alone = FittedCurves(a, torch.tanh(a), "neuron"), FittedCurves(a[1:], torch.tanh(a[1:]), "neuron")
    assert torch.equal(both(a).slope[1], alone(a[1:]).slope[0])


def test_beliefs_are_the_families_curves():
    """Those who believe the right family must not be handicapped by another formula of it."""
    a = torch.linspace(-4, 4, 101)
    assert {*CURVES} == {*BELIEFS} - {"datasheet"}
    for name, family in FAMILIES.items():
        torch.testing.assert_close(CURVES[name](a), family.nominal(a))
