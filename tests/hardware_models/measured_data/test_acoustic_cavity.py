"""The measured acoustic cavity: its fit, its groups, its noise and its own slopes."""

import numpy as np
import pytest
import torch

from analogff.device import ContractError, check_device, fabricate, has_weights
from hardware_models.effects.quadratic import features, own_slopes
from hardware_models.measured_data.acoustic_cavity import CHANNELS, FILE, AcousticCavity
from tests.helpers.devices import trace

EXACT = dict(measured_noise=0.0, adc_bits=0, dac_bits=0)
WEAK = [1, 3, 6, 8, 11, 13, 16, 18]


def _sums(chips, rows, lines):
    return torch.randn(chips, rows, lines, generator=torch.Generator().manual_seed(0))


def test_it_honors_the_contract():
    report = check_device(AcousticCavity)
    assert report.passed, "\n".join(report.lines())


def test_the_fit_explains_what_the_docstring_says():
    with np.load(FILE) as file:
        explained, full_scale, residual = (file[name] for name in ("explained", "full_scale", "residual"))
    strong = np.setdiff1d(np.arange(CHANNELS), WEAK)
    assert 0.96 < explained[strong].min() and explained[strong].max() < 1
    assert 0.2 < explained[WEAK].min() and explained[WEAK].max() < 0.81
    assert full_scale[strong].min() > 10 * full_scale[WEAK].max() and (0 < residual).all() and (residual < 0.07).all()


def test_a_read_is_the_polynomial_of_its_group_and_nothing_else():
    """Written again, with loops, for a layer that fills its second group in part."""
    cavity, a = AcousticCavity(27, 27, seed=[3, 1], **EXACT), _sums(2, 5, 27)
    u = torch.zeros(2, 5, 40, dtype=torch.float64)
    u[..., :27] = (0.5 + a.double() / 4).clamp(0, 1)
    wanted = torch.zeros(2, 5, 40, dtype=torch.float64)
    c = cavity.coefficients.double()
    for group in (slice(0, 20), slice(20, 40)):
        v = u[..., group]
        wanted[..., group] = c[:, 0] + v @ c[:, 1:21].mT
        at = 21
        for i in range(20):
            for j in range(i, 20):
                wanted[..., group] += c[:, at] * (v[..., i] * v[..., j]).unsqueeze(-1)
                at += 1
    assert torch.allclose(cavity(a).double(), wanted[..., :27].clamp(0, 1), atol=1e-5)


def test_the_noise_is_the_residual_of_the_fit():
    told = dict(measured_noise=torch.tensor([1.0, 0.5]), adc_bits=0)
    noisy, rows = AcousticCavity(20, 20, seed=[3, 1], **told), 20_000
    a = torch.zeros(2, 1, 20).expand(-1, rows, -1)
    off = noisy(a) - AcousticCavity(20, 20, seed=[3, 1], adc_bits=0, measured_noise=0.0)(a)
    inside = (noisy(a).amin(1) > 0.01) & (noisy(a).amax(1) < 0.99)  # converters clip nothing
    ratio = off.std(1) / noisy.residual / told["measured_noise"].view(2, 1)
    assert inside.float().mean() > 0.5
    assert (ratio[inside] - 1).abs().max() < 4.5 / (2 * rows) ** 0.5


def test_the_true_slope_is_that_of_a_line_moved_alone():
    cavity, a, h = AcousticCavity(27, 27, seed=[3], **EXACT), _sums(1, 20, 27), 1e-2
    slope = cavity.oracle(a).slope
    one = torch.eye(27).unsqueeze(1)
    moved = torch.stack([(cavity(a + h * e) - cavity(a - h * e))[..., j] / (2 * h) for j, e in enumerate(one)], -1)
    inside = (a.abs() < 2 - h) | (a.abs() > 2 + h)
    y = cavity(a)
    assert torch.allclose(moved[inside & (y > 0.02) & (y < 0.98)], slope[inside & (y > 0.02) & (y < 0.98)], atol=1e-3)
    assert (slope[a.abs() > 2] == 0).all()


def test_errors_go_back_as_autograd_sends_them_through_the_polynomial():
    cavity, a = AcousticCavity(27, 27, seed=[3, 1], **EXACT), _sums(2, 5, 27)
    error = torch.randn(2, 5, 27, generator=torch.Generator().manual_seed(1))
    sums, c = a.double().requires_grad_(), cavity.coefficients.double()
    u = torch.nn.functional.pad((0.5 + sums / 4).clamp(0, 1), (0, 13)).view(2, 5, 2, 20)
    y = (features(u) @ c.mT).flatten(2)[..., :27]
    (wanted,) = torch.autograd.grad(y, sums, error.double())
    assert torch.allclose(cavity.pullback(a, error).double(), wanted, atol=1e-5)
    assert torch.equal(
        AcousticCavity(27, 27, seed=[1], **EXACT).pullback(a[1:], error[1:])[0], cavity.pullback(a, error)[1]
    )
    weighted = fabricate(AcousticCavity, 13, 27, seeds=[3, 1], parameters=EXACT)
    x = _sums(2, 5, 13).abs()
    assert torch.equal(weighted.pullback(x, error), weighted.box.pullback(weighted.digital.measure(x), error))


def test_own_slopes_are_derivatives_of_the_features():
    c, u = torch.randn(4, 15, dtype=torch.float64), torch.rand(4, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda u: features(u) @ c.mT, u)
    assert torch.allclose(own_slopes(c) @ torch.cat([torch.ones(1), u]), jacobian.diagonal())


def test_it_comes_behind_digital_weights_and_is_the_same_alone_and_in_a_bank():
    assert not has_weights(AcousticCavity)
    told, x = dict(measured_noise=torch.tensor([1.0, 0.0, 2.0])), _sums(3, 9, 13).abs()
    bank = fabricate(AcousticCavity, 13, 27, seeds=[3, 1, 4], parameters=told)
    seen = trace(bank, x)
    for c, seed in enumerate([3, 1, 4]):
        own = dict(measured_noise=told["measured_noise"][c].item())
        alone = fabricate(AcousticCavity, 13, 27, seeds=[seed], parameters=own)
        assert all(torch.equal(a, b[c : c + 1]) for a, b in zip(trace(alone, x[c : c + 1]), seen, strict=True))


def test_mistakes_are_told_in_three_clauses():
    with pytest.raises(ContractError, match="Expected as many outputs as inputs .* Got n_in=4, n_out=3. Put weights"):
        AcousticCavity(4, 3, seed=0)
    with pytest.raises(ContractError, match="Expected measured_noise of at least 0. Got -1. Give one"):
        AcousticCavity(4, 4, seed=0, measured_noise=-1)
