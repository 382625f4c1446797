"""Slopes by activity: right on average over the noise of a read, and not only near the truth."""

import pytest
import torch

from analogff.slopes.response_curves import ResponseCurves

NEURONS, BATCH, PROBES = 40, 200, 60


def sech2(a):
    return 1 - torch.tanh(a).square()


def drawn(noise, batch=BATCH):
    """Return two readings of tanh neurons, what a probe finds there, and the truth."""
    a = 1.5 * torch.randn(1, batch, NEURONS)
    one, other = (torch.tanh(a) + noise * torch.randn_like(a) for _ in range(2))
    return one, other, sech2(a) + 2**0.5 * noise * torch.randn_like(a), sech2(a)


def error_beyond_the_bend(noise, *, instrument):
    """Return the mean error of what single reads tell where the truth is under 0.02."""
    torch.manual_seed(0)
    limit = torch.ones(1, 1, 1)
    curves = ResponseCurves(-limit, 0 * limit, limit, NEURONS, torch.tensor([noise**2 / 0.5]))
    for _ in range(PROBES):
        alone, beside, slopes, _ = drawn(noise)
        curves.learn(alone, beside if instrument else alone, slopes)
    alone, _, _, truth = drawn(noise, 20 * BATCH)
    return (curves.slopes(alone) - truth)[truth < 0.02].mean()


@pytest.mark.parametrize("noise", [0.1, 0.15])
def test_neurons_beyond_their_bend_rest_on_average(noise):
    """Least squares believes in the mean slope of all that may have shown a reading, which never rests."""
    assert error_beyond_the_bend(noise, instrument=True).abs() < 0.02
    assert error_beyond_the_bend(noise, instrument=False) > 0.5 * noise


def test_without_noise_the_polynomial_is_found_neuron_by_neuron():
    """The slope of tanh with a gain of its own is one of second degree in the activity."""
    gain, a = torch.linspace(0.5, 1, NEURONS), 1.5 * torch.randn(2, BATCH, NEURONS)
    y, slopes = gain * torch.tanh(a), gain * sech2(a)
    limit = torch.ones(2, 1, 1)
    curves = ResponseCurves(-limit, 0 * limit, limit, NEURONS, torch.zeros(2))
    curves.learn(y, y, slopes)
    torch.testing.assert_close(curves.slopes(y), slopes, atol=0.01, rtol=0)


def test_curves_bend_where_activities_are():
    """A neuron that bends in the first eighth of a converter's range, as softplus does: its slope is ``1 - exp(-y)``."""
    y = torch.nn.functional.softplus(2.5 * torch.randn(1, 20 * BATCH, NEURONS)).clamp(max=8)
    slopes, low = 1 - (-y).exp(), torch.zeros(1, 1, 1)
    errors = []
    for middle in (0.8, 4):
        curves = ResponseCurves(low, low + middle, low + 8, NEURONS, torch.zeros(1))
        curves.learn(y, y, slopes)
        errors.append((curves.slopes(y) - slopes).abs().max())
    assert errors[0] < 0.02 < 0.1 < errors[1]


def test_a_middle_in_the_middle_leaves_activities_as_they_are():
    y = torch.linspace(-3, 5, 9).view(1, -1, 1)
    low = -torch.ones(1, 1, 1)
    straight = ResponseCurves(low, low + 2, low + 4, 1, torch.zeros(1))
    assert torch.equal(straight._terms(y, y < -1)[0, :, 0, 1], ((y.flatten() - 1) / 2).clamp(-1, 1))


def test_a_silent_neuron_has_a_slope_of_its_own():
    """A rectifier: one beyond zero, none at it, which no polynomial of the activity could say."""
    a = torch.randn(1, BATCH, NEURONS)
    y, slopes = a.relu(), (a > 0).to(a)
    low = torch.zeros(1, 1, 1)
    curves = ResponseCurves(low, low + 1, low + 4, NEURONS, torch.zeros(1))
    curves.learn(y, y, slopes)
    torch.testing.assert_close(curves.slopes(y), slopes, atol=1e-3, rtol=0)
    dead = ResponseCurves(low, low + 1, low + 4, NEURONS, torch.zeros(1))
    dead.learn(0 * y, 0 * y, 0 * y)
    assert torch.equal(dead.slopes(y), 0 * y)


def test_a_diverged_chip_does_not_stop_the_others():
    y = torch.rand(2, BATCH, NEURONS)
    limit = torch.ones(2, 1, 1)
    curves = ResponseCurves(-limit, 0 * limit, limit, NEURONS, torch.zeros(2))
    broken = torch.where(torch.arange(2).view(-1, 1, 1) == 0, torch.nan, y)
    curves.learn(broken, broken, 1 - y)
    assert curves.slopes(y)[0].isnan().all()
    torch.testing.assert_close(curves.slopes(y)[1], 1 - y[1], atol=0.01, rtol=0)
