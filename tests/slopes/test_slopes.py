import numpy as np
import pytest
import torch

from analogff.device import Observable, Sealed, fabricate
from analogff.slopes.make import make_slope
from analogff.slopes.probe_size import ProbeSize
from analogff.slopes.slopes import Assumed, Oracle
from analogff.slopes.slopes import Probed as ProbedBy
from tests.helpers.fakes import Curved


def Probed(d, activity="read"):  # noqa: N802
    return ProbedBy(ProbeSize(float(d)), activity)


def climb(reading):
    """Half the derivative of the squares."""
    return reading.back(reading.y.clone())


def layer(n_in=30, n_out=40, dtype=torch.float32, **parameters):
    device = fabricate(Curved, n_in, n_out, seeds=[0], parameters=parameters).to(dtype)
    return Sealed(device, chips=1, level=Observable.ORACLE)


def sin2(a):
    return torch.sin(a).square()


def test_assumed_is_exact_for_a_rectifier():
    x = torch.randn(1, 50, 30)
    truth, hebb = Oracle().read(layer(), x), Assumed().read(layer(), x)
    torch.testing.assert_close(climb(hebb), climb(truth))


def test_assumed_points_the_wrong_way_somewhere_on_a_non_monotone_curve():
    x = torch.randn(1, 50, 30)
    truth, hebb = Oracle().read(layer(curve=sin2), x), Assumed().read(layer(curve=sin2), x)
    assert (climb(truth) * climb(hebb) < 0).float().mean() > 0.2


@pytest.mark.parametrize("activity", ["read", "mean"])
def test_the_error_of_the_probe_is_of_second_order_in_its_size(activity):
    x = torch.randn(1, 50, 30, dtype=torch.float64)
    truth = climb(Oracle().read(layer(curve=sin2, dtype=torch.float64), x))
    sizes = np.array([0.4, 0.2, 0.1, 0.05])
    errors = [
        (climb(Probed(d, activity).read(layer(curve=sin2, dtype=torch.float64), x)) - truth).square().mean().sqrt()
        for d in sizes
    ]
    order = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert 1.9 < order < 2.1


def test_with_the_mean_as_activity_the_probe_is_the_symmetric_difference_of_the_squares():
    x, d = torch.randn(1, 8, 30), 0.6
    box = layer(curve=torch.tanh)
    up, down = box.measure(x, torch.tensor(d / 2)), box.measure(x, torch.tensor(-d / 2))
    torch.testing.assert_close(climb(Probed(d, "mean").read(box, x)), (up**2 - down**2) / (2 * d))


@pytest.mark.parametrize(("activity", "reads"), [("mean", 2), ("read", 3)])
def test_the_probe_costs_as_many_reads_whatever_the_width(activity, reads):
    for width in (4, 64):
        box = layer(n_out=width)
        Probed(0.5, activity).read(box, torch.zeros(1, 10, 30))
        assert box.ledger.total("reads") == 10 * reads


def test_what_is_passed_on_is_what_the_chip_answers_and_a_mean_is_not():
    """Of sin^2, which is (1 - cos 2a) / 2, the mean of two reads is off by a share of cos 2a."""
    x, d, box = torch.randn(1, 50, 30, dtype=torch.float64), 0.8, layer(curve=sin2, dtype=torch.float64)
    answer = box.measure(x)
    torch.testing.assert_close(Probed(d).read(box, x).y, answer)
    shift = (1 - 2 * answer) * (1 - np.cos(d)) / 2  # (cos 2a - mean of cos(2a + d), cos(2a - d)) / 2
    torch.testing.assert_close(Probed(d, "mean").read(box, x).y - answer, shift)


def test_the_activity_shares_no_noise_with_the_slope():
    x = torch.randn(1, 400, 30)
    for activity in ("read", "mean"):
        noisy, clean = (Probed(0.3, activity).read(layer(curve=torch.tanh, noise=s), x) for s in (0.1, 0.0))
        both = torch.stack([(noisy.y - clean.y).flatten(), (noisy.slope - clean.slope).flatten()])
        assert abs(torch.corrcoef(both)[0, 1]) < 4 / both.shape[1] ** 0.5


def test_the_noise_of_the_probe_does_not_grow_with_the_width():
    """The heart of "FF need not resort to reinforcement learning": slope 0 against the number of neurons."""
    widths, x = np.array([32, 128, 512, 2048]), torch.randn(1, 200, 30)
    stds = []
    for width in widths:
        noisy, clean = (layer(n_out=width, curve=torch.tanh, noise=s) for s in (0.1, 0.0))
        error = climb(Probed(0.5).read(noisy, x)) - climb(Probed(0.5).read(clean, x))
        stds.append(error.std().item())
    # Each std rests on 200 widths samples, the least on 6,400: relative standard error below 1 %.
    assert abs(np.polyfit(np.log(widths), np.log(stds), 1)[0]) < 0.02


def test_the_noise_of_the_probe_falls_with_its_size():
    x = torch.randn(1, 400, 30)
    sizes, stds = np.array([0.05, 0.1, 0.2, 0.4]), []
    for d in sizes:
        noisy, clean = (layer(curve=torch.tanh, noise=s) for s in (0.1, 0.0))
        stds.append((Probed(d).read(noisy, x).slope - Probed(d).read(clean, x).slope).std().item())
    assert -1.03 < np.polyfit(np.log(sizes), np.log(stds), 1)[0] < -0.97


def test_each_slope_declares_what_it_must_see():
    needs = [make_slope(name, 0.5).needs for name in ("assumed", "probed", "fitted", "oracle")]
    assert needs == [Observable.ACTIVITY, Observable.PROBE, Observable.PROBE, Observable.ORACLE]
