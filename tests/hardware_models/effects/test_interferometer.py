"""Interferometer meshes: against products of 2x2 matrices written out, and what small errors do."""

import cmath
import math

import numpy as np
import pytest
import torch
from scipy.stats import ortho_group

from hardware_models.effects.interferometer import amplitude, layout, phases_of, quantized, transfer

D = torch.float64


def _mzi(theta, phi, first, second, passed=1.0):
    """Return one MZI, as its equation says."""

    def coupler(e):
        c, s = math.cos(math.pi / 4 + e), math.sin(math.pi / 4 + e)
        return np.array([[c, 1j * s], [1j * s, c]])

    def shifter(angle):
        return np.diag([cmath.exp(1j * angle), 1])

    return passed * coupler(second) @ shifter(theta) @ coupler(first) @ shifter(phi)


def dense(n, phases, couplers, passed=1.0):
    """Return a mesh as a product of dense matrices, column after column of the rectangle in `layout`'s order."""
    total, count = np.eye(n, dtype=complex), n * (n - 1) // 2
    for k, port in enumerate(layout(n).line):
        one = np.eye(n, dtype=complex)
        numbers = phases[k], phases[count + k], couplers[k], couplers[count + k]
        one[port : port + 2, port : port + 2] = _mzi(*numbers, passed)
        total = one @ total
    return np.diag(np.exp(1j * np.asarray(phases[2 * count :]))) @ total


def _meshes(n, meshes=1, seed=0, spread=2.0, error=0.3):
    random = np.random.default_rng(seed)
    phases = torch.from_numpy(spread * random.standard_normal((meshes, n * n)))
    return phases, torch.from_numpy(error * random.standard_normal((meshes, n * (n - 1))))


def _through(phases, couplers, passed=None):
    meshes, n = len(phases), round(phases.shape[1] ** 0.5)
    eye = torch.eye(n, dtype=D).expand(meshes, n, n)
    return transfer(eye, phases, couplers, torch.ones(meshes) if passed is None else passed)


def _orthogonal(n, meshes=20, seed=0):
    return torch.from_numpy(ortho_group.rvs(n, size=meshes, random_state=seed).reshape(meshes, n, n))


@pytest.mark.parametrize("n", [2, 3, 8, 33, 64])
def test_a_mesh_is_a_rectangle_with_every_neighbor_meeting_as_often_as_it_can(n):
    depth, columns = [0] * n, []
    for port in layout(n).line:
        depth[port] = depth[port + 1] = max(depth[port], depth[port + 1]) + 1
        columns.append((depth[port], port))
    assert len(set(columns)) == n * (n - 1) // 2  # no two in one place
    assert max(depth) <= n
    assert {(column - port) % 2 for column, port in columns} in ({0}, {1})  # a checkerboard


@pytest.mark.parametrize("n, passed", [(2, 1.0), (5, 1.0), (5, 0.9), (8, 0.97)])
def test_light_goes_as_through_dense_matrices_one_after_another(n, passed):
    phases, couplers = _meshes(n, meshes=3)
    seen = _through(phases, couplers, torch.full((3,), passed, dtype=D))
    for z, p, e in zip(seen, phases.tolist(), couplers.tolist(), strict=True):
        assert np.abs(z.numpy() - dense(n, p, e, passed)).max() < 1e-12


@pytest.mark.parametrize("n", [1, 2, 7, 32, 64])
def test_without_loss_a_mesh_is_unitary_whatever_its_phases_and_couplers(n):
    z = _through(*_meshes(n, meshes=5))
    assert (z @ z.mH - torch.eye(n, dtype=D)).abs().max() < 1e-12


def test_with_loss_the_light_that_comes_out_is_what_mzis_leave():
    """All ports of an odd column pass an MZI; those at the edge of an even one do not."""
    n, passed = 8, amplitude(torch.tensor([0.5], dtype=D))
    assert passed.item() == pytest.approx(10 ** (-0.5 / 20))
    z = _through(*_meshes(n), passed)
    least, most = passed.item() ** n, passed.item() ** (n / 2)
    values = torch.linalg.svdvals(z)
    assert least - 1e-12 < values.min() and values.max() < most + 1e-12


SPECIAL = {
    "identity": torch.eye(8, dtype=D),
    "minus": -torch.eye(8, dtype=D),
    "reversed": torch.eye(8, dtype=D).flip(0),
    "cycle": torch.eye(8, dtype=D).roll(3, 0),
    "in parts": torch.block_diag(_orthogonal(3)[0], -torch.eye(5, dtype=D)),
    "negative zeros": torch.block_diag(torch.eye(4, dtype=D), _orthogonal(4)[0]) * -1.0,
}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9, 32, 64])
def test_phases_make_any_orthogonal_matrix(n):
    u = _orthogonal(n) if n > 1 else torch.tensor([[[1.0]], [[-1.0]]], dtype=D)
    phases = phases_of(u)
    assert ((phases >= 0) & (phases < 2 * torch.pi + 1e-12)).all()
    assert (_through(phases, torch.zeros(len(u), n * (n - 1))) - u).abs().max() < 1e-12


@pytest.mark.parametrize("kind", SPECIAL)
def test_phases_make_matrices_of_zeros_and_ones(kind):
    u = SPECIAL[kind][None]
    assert (_through(phases_of(u), torch.zeros(1, 56)) - u).abs().max() < 1e-12


def test_a_mesh_has_the_same_bits_alone_and_among_others():
    u = _orthogonal(12)
    phases, alone = phases_of(u), phases_of(u[7:8])
    assert torch.equal(phases[7:8], alone)
    couplers = torch.zeros(20, 12 * 11)
    assert torch.equal(_through(phases, couplers)[7:8], _through(alone, couplers[7:8]))


def test_phases_are_rounded_to_the_nearest_of_a_turn():
    phases = torch.linspace(0, 2 * torch.pi, 1001, dtype=D)
    step = 2 * math.pi / 16
    off = quantized(phases, torch.tensor(4.0)) - phases
    assert off.abs().max() <= step / 2 + 1e-12 and off.std() == pytest.approx(step / 12**0.5, rel=0.01)
    assert torch.equal(quantized(phases, torch.tensor(0.0)), phases)


MESHES = 400


def _errors(n, sigma, epsilon, seed=1):
    """Return the mean squares of the errors of meshes, of the field and of its real part."""
    u = _orthogonal(n, MESHES, seed)
    generator = torch.Generator().manual_seed(seed)
    phases = phases_of(u)
    phases = phases + sigma * torch.randn(phases.shape, generator=generator, dtype=D)
    couplers = epsilon * torch.randn(MESHES, n * (n - 1), generator=generator, dtype=D)
    off = _through(phases, couplers) - u
    field, real = off.abs().square().sum((1, 2)), off.real.square().sum((1, 2))
    return [(each.mean().item(), each.std().item() / MESHES**0.5) for each in (field, real)]


@pytest.mark.parametrize("n", [4, 16, 32])
@pytest.mark.parametrize("sigma", [1e-4, 1e-3])
def test_small_phase_errors_add_up_as_derived(n, sigma):
    (field, error), (real, real_error) = _errors(n, sigma, 0)
    assert abs(field - n**2 * sigma**2) < 4 * error + 10 * n**3 * sigma**4
    assert abs(real - n * (n - 1) / 4 * sigma**2) < 4 * real_error + 10 * n**3 * sigma**4


@pytest.mark.parametrize("n", [4, 16, 32])
def test_small_coupler_errors_add_up_as_derived(n):
    epsilon = 1e-3
    (field, error), _ = _errors(n, 0, epsilon)
    assert abs(field - 2 * n * (n - 1) * epsilon**2) < 4 * error + 10 * n**3 * epsilon**4


def _power(sizes, errors):
    return np.polyfit(np.log(sizes), np.log(errors), 1)[0]


def test_the_field_is_off_in_proportion_to_the_errors_and_what_is_seen_of_couplers_to_their_squares():
    sizes = [1e-4, 3e-4, 1e-3, 3e-3]
    by_phase = [[part[0] ** 0.5 for part in _errors(16, s, 0)] for s in sizes]
    by_coupler = [[part[0] ** 0.5 for part in _errors(16, 0, s)] for s in sizes]
    assert _power(sizes, [field for field, _ in by_phase]) == pytest.approx(1, abs=0.01)
    assert _power(sizes, [real for _, real in by_phase]) == pytest.approx(1, abs=0.01)
    assert _power(sizes, [field for field, _ in by_coupler]) == pytest.approx(1, abs=0.01)
    assert _power(sizes, [real for _, real in by_coupler]) == pytest.approx(2, abs=0.02)


def test_the_field_is_off_in_proportion_to_the_root_of_the_ports():
    """Relative to the matrix, whose norm is the root of the ports."""
    ports = [4, 8, 16, 32]
    relative = [(_errors(n, 1e-3, 0)[0][0] / n) ** 0.5 for n in ports]
    assert _power(ports, relative) == pytest.approx(0.5, abs=0.01)
