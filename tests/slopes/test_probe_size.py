import numpy as np
import pytest
import torch

from analogff.device import Observable, Sealed, fabricate
from analogff.slopes.probe_size import EVERY, FARTHEST, ROUNDS, ProbeSize, noise_variance
from analogff.slopes.slopes import probe
from tests.helpers.fakes import Curved

BATCH = 200


def layer(curve, noise=0.0, seeds=(0,), level=Observable.PROBE):
    device = fabricate(Curved, 30, 40, seeds=list(seeds), parameters={"curve": curve, "noise": noise})
    return Sealed(device, chips=len(seeds), level=level)


def inputs(chips=1, strength=1.0):
    x = torch.randn(BATCH, 30, generator=torch.Generator().manual_seed(0))
    return strength * x.expand(chips, -1, -1)


def size(curve, noise, strength=1.0):
    return ProbeSize().of(layer(curve, noise), inputs(strength=strength)).item()


def test_it_is_the_size_at_which_noise_and_curvature_cost_the_same():
    """Of a sine the mean square of the third derivative is known: half its amplitude's where angles are spread."""
    noise = 0.02
    expected = (576 * noise**2 / 0.5) ** (1 / 6)
    found = size(lambda a: torch.sin(a + 1), noise)
    assert abs(found / expected - 1) < 0.25  # the third difference is itself taken over half a radian


def test_it_grows_with_the_cube_root_of_the_noise():
    noises = np.array([0.003, 0.01, 0.03, 0.1])
    sizes = [size(lambda a: torch.sin(a + 1), s) for s in noises]
    assert abs(np.polyfit(np.log(noises), np.log(sizes), 1)[0] - 1 / 3) < 0.06


def test_no_unit_of_the_weighted_sum_need_be_known():
    """A chip in units a thousand times as small gets a probe a thousand times as large."""
    small = size(lambda a: torch.sin(a / 1000 + 1), 0.02, strength=1000.0)
    assert abs(small / size(lambda a: torch.sin(a + 1), 0.02) / 1000 - 1) < 0.05


def test_it_is_measured_once_in_a_while_and_counted():
    box = layer(torch.tanh, 0.05)
    probe = ProbeSize()
    first = 2 * (1 + ROUNDS) + 3
    for n in range(EVERY):
        probe.of(box, inputs())
        assert box.ledger.total("reads") == first * BATCH, n
    probe.of(box, inputs())
    assert box.ledger.total("reads") == (first + 5) * BATCH


@pytest.mark.parametrize(("curve", "error"), [(torch.relu, 0.03), (torch.tanh, 1e-4), (torch.sigmoid, 1e-4)])
def test_an_exact_chip_keeps_a_probe_that_rounding_does_not_spoil(curve, error):
    """Measured again and again: a device without noise once got ever smaller probes, until slopes were rounding.

    A rectifier is allowed the few slopes whose probe reaches over its kink.
    """
    box, exact, probed = layer(curve), layer(curve, level=Observable.ORACLE), ProbeSize()
    for _ in range(30):
        probed._reads = 0
        size = probed.of(box, inputs())
    _, slopes = probe(box, inputs(), size)
    assert (slopes - exact.oracle(inputs()).slope).square().mean().sqrt() < error


@pytest.mark.parametrize("curve", [lambda a: torch.exp(-10 * a.square()), torch.relu, torch.tanh])
def test_a_probe_does_not_feed_on_itself(curve):
    """A probe that reaches over a bump finds no curvature, and was larger still at the next measurement."""
    box, probed = layer(curve, 0.1), ProbeSize()
    first = probed.of(box, inputs()).item()
    for _ in range(10):
        probed._reads = 0
        last = probed.of(box, inputs()).item()
    assert abs(last / first - 1) < 0.1


def test_a_probe_stays_within_what_was_looked_at():
    """A third difference over the reach takes biases of up to twice that, on either side."""
    probed = ProbeSize()
    found = probed.of(layer(torch.tanh, 3.0), inputs()).item()
    assert found <= FARTHEST * probed.reach.item()


def test_each_chip_has_its_own_whatever_its_bank():
    both = ProbeSize().of(layer(torch.tanh, 0.05, seeds=(0, 1)), inputs(2))
    alone = ProbeSize().of(layer(torch.tanh, 0.05, seeds=(1,)), inputs(1))
    assert torch.equal(both[1:], alone)


def test_noise_is_found_from_repeats_and_the_step_of_a_converter():
    generator = torch.Generator().manual_seed(0)
    first, second = 0.1 * torch.randn(2, 1, 100, 50, generator=generator)
    assert abs(noise_variance(first, second).item() / 0.01 - 1) < 0.06  # 5,000 pairs: 2 % relative standard error
    coarse = (first * 4).round() / 4
    assert torch.allclose(noise_variance(coarse, coarse), torch.tensor([0.25**2 / 12]))


def test_a_given_size_costs_no_read():
    box = layer(torch.tanh)
    assert ProbeSize(0.6).of(box, inputs()).item() == torch.tensor(0.6)
    assert box.ledger.total("reads") == 0
