import functools

import pytest
import torch

from analogff.device import Observable, Sealed, fabricate
from analogff.slopes.fitted import EVERY, WARM_UP, Fitted
from analogff.slopes.probe_size import ProbeSize
from analogff.slopes.slopes import Oracle, Probed
from analogff.support.state import state_of
from tests.helpers.fakes import Curved

BATCH = 100


def rectified_tanh(a):
    return torch.tanh(torch.relu(a))


def sin2(a):
    return torch.sin(a).square()


def layer(curve, noise=0.0, seeds=(0,)):
    device = fabricate(Curved, 30, 40, seeds=list(seeds), parameters={"curve": curve, "noise": noise})
    return Sealed(device, chips=len(seeds), level=Observable.ORACLE), device


def inputs(step, chips=1):
    generator = torch.Generator().manual_seed(step)
    return torch.randn(BATCH, 30, generator=generator).expand(chips, -1, -1)


def taught(box, reads, size=0.3):
    fitted = Fitted(Probed(ProbeSize(size)))
    for step in range(reads):
        fitted.read(box, inputs(step))
    return fitted


def test_a_single_read_tells_the_slope_where_it_is_a_function_of_the_activity():
    box, _ = layer(rectified_tanh)
    fitted = taught(box, 3 * EVERY + 1)
    assert fitted.trusted and fitted.explained.min() > 0.95
    before, x = box.ledger.total("reads"), inputs(1000)
    reading = fitted.read(box, x)
    assert box.ledger.total("reads") - before == BATCH
    truth = Oracle().read(box, x).slope
    # 1 - y^2 is a polynomial; the kink at zero, over which probes look from as far as 0.15, is none, and bends it nearby
    active = reading.y > 0.25
    torch.testing.assert_close(reading.slope[active], truth[active], atol=0.1, rtol=0)


def test_a_curve_is_less_noisy_than_a_probe():
    box, _ = layer(rectified_tanh, noise=0.1)
    fitted = taught(box, 6 * EVERY + 1)
    x = inputs(1000)
    truth, measured = Oracle().read(box, x).slope, fitted.probed.read(box, x).slope
    told = fitted.read(box, x).slope
    assert (told - truth).square().mean() < 0.5 * (measured - truth).square().mean()


def test_every_read_is_probed_where_the_activity_does_not_tell_the_slope():
    box, _ = layer(sin2)
    fitted = taught(box, 3 * EVERY + 1)
    assert not fitted.trusted and fitted.explained.max() < 0.5
    before = box.ledger.total("reads")
    reading = fitted.read(box, inputs(1000))
    assert box.ledger.total("reads") - before == 3 * BATCH
    truth = Oracle().read(box, inputs(1000)).slope
    assert torch.cosine_similarity(reading.slope.flatten(), truth.flatten(), 0) > 0.99


def test_reads_that_are_spent():
    """One read each; three for the warm-up and for every 24th; two more at the start for the noise."""
    box, _ = layer(rectified_tanh)
    taught(box, 5 * EVERY)
    probes = WARM_UP + len([n for n in range(5 * EVERY) if n >= WARM_UP and n % EVERY == 0])
    assert box.ledger.total("reads") == BATCH * (5 * EVERY + 2 * probes + 2)


@pytest.mark.slow
def test_it_follows_a_chip_that_drifts():
    box, device = layer(rectified_tanh)
    fitted = taught(box, 2 * EVERY + 1)
    device.curve = functools.partial(lambda a: 0.5 * rectified_tanh(a))
    for step in range(200 * EVERY):  # older probes fade as 0.98^n
        if step % EVERY == 0:
            fitted.reads = 0
            fitted.read(box, inputs(step))
    fitted.reads = WARM_UP + 1
    x = inputs(5000)
    reading, truth = fitted.read(box, x), Oracle().read(box, x).slope
    active = reading.y > 0.25
    torch.testing.assert_close(reading.slope[active], truth[active], atol=0.1, rtol=0)


def test_its_memory_survives_a_file(tmp_path):
    box, _ = layer(rectified_tanh)
    fitted = taught(box, 20)
    torch.save(state_of(fitted), tmp_path / "slope.pt")
    again = Fitted(Probed(ProbeSize(0.3)))
    again.load_state_dict(torch.load(tmp_path / "slope.pt", weights_only=True))
    x = inputs(1000)
    assert torch.equal(again.read(box, x).slope, fitted.read(box, x).slope)
