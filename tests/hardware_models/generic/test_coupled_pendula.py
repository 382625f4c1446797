"""Pendula against the exact solution at small angles, their energy, and the order of their steps."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from analogff.device import ContractError, check_device, fabricate
from hardware_models.effects.pendula import acceleration, energy, move
from hardware_models.generic import coupled_pendula
from hardware_models.generic.coupled_pendula import CoupledPendula

QUIET: dict[str, Any] = dict(read_noise=0.0, adc_bits=0, dac_bits=0)
N = 6


def start(scale, n=N, rows=4):
    return scale * torch.randn(rows, n, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def coupled(n=N):
    drawn = torch.randn(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).triu(1) * n**-0.5
    return drawn + drawn.mT


def moved(q, steps, duration=2.0, velocity=None, **how):
    velocity = torch.zeros_like(q) if velocity is None else velocity
    return move(q, velocity, lambda q, v: acceleration(q, v, coupled(), **how), duration, steps)


@pytest.mark.slow
@pytest.mark.parametrize("told", [{}, {"law": "angles", "encoding": "drives", "damping": 0.3, "mismatch": 0.2}])
def test_it_honors_the_contract(told):
    report = check_device(CoupledPendula, **told)
    assert report.passed, "\n".join(report.lines())


@pytest.mark.slow
@pytest.mark.parametrize("law", ["sines", "angles"])
def test_halving_a_step_divides_the_error_by_sixteen(law):
    exact, _ = moved(start(1.0), 4000, law=law)
    errors = [float((moved(start(1.0), steps, law=law)[0] - exact).abs().max()) for steps in (20, 40, 80, 160)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 4.0, atol=0.3)


def test_energy_is_conserved_without_damping_and_falls_with_it():
    q = start(1.0)
    whole = energy(q, torch.zeros_like(q), coupled())
    after = energy(*moved(q, 400, duration=20.0, law="angles"), coupled())
    torch.testing.assert_close(after, whole, rtol=0, atol=1e-5)  # (20 / 400)^4 = 6e-6
    lost = energy(*moved(q, 400, duration=20.0, law="angles", damping=0.2), coupled())
    assert (lost < whole - 0.1).all()
    alone = move(q, torch.zeros_like(q), lambda q, v: acceleration(q, v, 0 * coupled(), "sines"), 20.0, 400)
    torch.testing.assert_close(energy(*alone, 0 * coupled()), -torch.cos(q).sum(-1), rtol=0, atol=1e-5)


@pytest.mark.parametrize("law", ["sines", "angles"])
@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_small_angles_follow_the_matrix_exponential(law, damping):
    r"""q'' = -(k + L) q - gamma q' + e, with L = diag(sum J) - J: the next term of a sine is a sixth of the cube."""
    scale, duration = 1e-3, 3.0
    q, drive = start(scale), start(scale).flip(0)
    stiff = torch.linspace(0.8, 1.2, N, dtype=torch.float64)
    laplace = torch.diag(stiff + coupled().sum(-1)) - coupled()
    zero, one = torch.zeros(N, N, dtype=torch.float64), torch.eye(N, dtype=torch.float64)
    generator = torch.cat([torch.cat([zero, one], 1), torch.cat([-laplace, -damping * one], 1)])
    rest = torch.cat([torch.linalg.solve(laplace, drive.mT).mT, torch.zeros_like(q)], 1)  # where the drive holds it
    state = torch.cat([q, torch.zeros_like(q)], 1) - rest
    exact = state @ torch.linalg.matrix_exp(duration * generator).mT + rest
    found, velocity = moved(q, 300, duration, law=law, stiffness=stiff, drive=drive, damping=damping)
    size = exact.abs().max()
    torch.testing.assert_close(torch.cat([found, velocity], 1), exact, rtol=0, atol=float(100 * size**3) + 1e-9)


def test_a_read_is_the_end_of_a_motion_that_begins_with_the_sums():
    chips = CoupledPendula(N, N, seed=[3, 1], radians=0.7, duration=1.5, **QUIET)
    a = torch.randn(2, 5, N, generator=torch.Generator().manual_seed(0))
    read = chips(a)
    for chip in range(2):
        coupling = chips.couplings[chip].double()
        assert torch.equal(coupling, coupling.mT) and (coupling.diagonal() == 0).all()
        q = 0.7 * a[chip].double()
        wanted, _ = move(q, torch.zeros_like(q), lambda q, v, j=coupling: acceleration(q, v, j), 1.5, 300)
        torch.testing.assert_close(read[chip].double(), wanted / math.pi, rtol=0, atol=1e-5)
    far = chips(torch.full((2, 1, N), 100.0))
    torch.testing.assert_close(far, chips(torch.full((2, 1, N), math.pi / 0.7)))


@pytest.mark.parametrize(("encoding", "law"), [("angles", "sines"), ("drives", "sines"), ("drives", "angles")])
def test_the_oracle_has_the_derivatives_of_the_motion(encoding, law, monkeypatch):
    monkeypatch.setattr(coupled_pendula, "COLUMNS", 4)  # so that there are two parts
    chips = CoupledPendula(N, N, seed=[3, 1], encoding=encoding, law=law, damping=0.1, duration=2.0, **QUIET)
    a = 0.5 * torch.randn(2, 3, N, generator=torch.Generator().manual_seed(0))
    jacobian, step = torch.zeros(2, 3, N, N), 1e-2
    for n in range(N):
        along = step * torch.eye(N)[n]
        jacobian[..., n] = (chips(a + along) - chips(a - along)) / (2 * step)
    torch.testing.assert_close(chips.oracle(a).slope, jacobian.diagonal(dim1=-2, dim2=-1), rtol=0, atol=1e-3)
    error = torch.randn(2, 3, N, generator=torch.Generator().manual_seed(1))
    pulled = torch.einsum("cbo,cboi->cbi", error, jacobian)
    torch.testing.assert_close(chips.pullback(a, error), pulled, rtol=0, atol=5e-3)


def test_the_noise_is_as_printed_and_other_sizes_are_refused():
    chips, rows = CoupledPendula(N, N, seed=[3, 1], read_noise=0.02, adc_bits=0), 4000
    y = chips(torch.zeros(2, 1, N).expand(-1, rows, -1))
    assert abs(float(y.detach().std()) / 0.02 - 1) < 4.5 / math.sqrt(2 * y.numel())
    with pytest.raises(ContractError, match="as many outputs as inputs"):
        CoupledPendula(4, 3, seed=0)
    assert fabricate(CoupledPendula, 4, 3, seeds=[0, 1]).measure(torch.ones(2, 5, 4)).shape == (2, 5, 3)
