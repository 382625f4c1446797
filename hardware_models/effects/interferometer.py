r"""Rectangular meshes of Mach-Zehnder interferometers: phases of a matrix, and the effect of errors.

An MZI on neighboring ports consists of two couplers, with one phase shifter on the upper arm between them and one
before them:

.. math::
    T = B(e_2) \begin{pmatrix} e^{i\theta} & \\ & 1 \end{pmatrix} B(e_1)
        \begin{pmatrix} e^{i\varphi} & \\ & 1 \end{pmatrix}, \quad
    B(e) = \begin{pmatrix} \cos(\pi/4 + e) & i \sin(\pi/4 + e) \\ i \sin(\pi/4 + e) & \cos(\pi/4 + e) \end{pmatrix}

A mesh of ``n`` ports has ``n (n - 1) / 2`` MZIs in ``n`` columns, and a phase shifter at each output: ``n^2`` phases.

Reference:
    Clements et al., Optica 3, 1460 (2016).
"""

import functools
from typing import NamedTuple

import numpy as np
import torch


class Layout(NamedTuple):
    """The MZIs of a rectangular mesh, and the order of the solution."""

    line: np.ndarray
    """Upper port of each MZI, in the order of light, ``(n (n - 1) / 2,)``."""
    right: np.ndarray
    """For each step of the solution: whether it removes a rotation at the input; else at the output."""
    steps: np.ndarray
    """For each step: the upper port."""
    nulled: np.ndarray
    """For each step: row and column of the element that vanishes."""
    place: np.ndarray
    """For each step: the MZI's position in the order of light."""


@functools.cache
def layout(ports: int) -> Layout:
    """Lay out a mesh; diagonals of the matrix are nulled alternately from the input's and the output's side."""
    steps = []
    for i in range(1, ports):
        for j in range(i):
            if i % 2:
                steps.append((True, i - 1 - j, ports - 1 - j, i - 1 - j))
            else:
                steps.append((False, ports - 1 + j - i, ports + j - i, j))
    right, upper, row, column = (
        (np.array(each, dtype=np.int64) for each in zip(*steps, strict=True))
        if steps
        else (np.empty(0, np.int64) for _ in range(4))
    )
    first = [k for k, step in enumerate(steps) if step[0]]
    order = first + [k for k, step in enumerate(steps) if not step[0]][::-1]
    place = np.empty(len(steps), np.int64)
    place[order] = np.arange(len(steps))
    return Layout(upper[order], right.astype(bool), upper, np.stack([row, column], 1), place)


def phases_of(orthogonal: torch.Tensor) -> torch.Tensor:
    r"""Solve for the phases of ideal meshes that implement orthogonal matrices.

    Real matrices are products of rotations. Between any two MZIs the light of a port is then real up to a known phase.
    So homodyne detectors, which see the real part, are insensitive to first order to the errors named in `transfer`.

    Shapes:
        ``orthogonal``: ``(meshes, n, n)``; returns ``(meshes, n^2)`` from 0 to 2 pi in double precision: theta of all
        MZIs, phi of all, and those of the outputs.
    """
    from hardware_models.kernels.cpu import mesh

    matrices = orthogonal.double().cpu().clone().numpy()
    count, ports, _ = matrices.shape
    plan = layout(ports)
    angles, signs = np.empty((count, len(plan.line))), np.empty((count, ports))
    mesh.rotations(matrices, plan.right, plan.steps, plan.nulled, plan.place, angles, signs)
    phases = np.empty((count, ports * ports))
    mesh.phases(angles, signs, plan.line, phases)
    return torch.from_numpy(phases).to(orthogonal.device)


def quantized(phases: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    r"""Round phases to the grid of their converters.

    .. math:: \theta \to d \lfloor \theta / d \rceil, \quad d = 2 \pi / 2^b

    Args:
        phases: Phases in radians.
        bits: ``b``; 0 is continuous.
    """
    step = 2 * torch.pi / 2.0 ** bits.double()
    return torch.where(bits > 0, (phases / step).round() * step, phases)


def amplitude(loss_decibel: torch.Tensor) -> torch.Tensor:
    r"""Return the transmitted share of a field for a power loss in decibel: ``10^(-loss / 20)``."""
    return 10 ** (-loss_decibel.double() / 20)


def transfer(
    fields: torch.Tensor, phases: torch.Tensor, coupler_errors: torch.Tensor, passed: torch.Tensor
) -> torch.Tensor:
    r"""Send fields through meshes.

    Edge ports without an MZI in a column lose nothing there.

    For small errors of an orthogonal matrix ``U`` of ``n`` ports, phases of spread :math:`\sigma` and couplers of
    spread :math:`\epsilon`, all independent:

    .. math::
        \mathrm{E} |\Delta U|^2 = n^2 \sigma^2 + 2 n (n - 1) \epsilon^2, \quad
        \mathrm{E} |\Delta\, \mathrm{Re}\, U|^2 = \tfrac14 n (n - 1) \sigma^2 + O(\sigma^4, \epsilon^4)

    since a phase affects one port, a coupler two, and the matrices on both sides are unitary. Only the half of an inner
    phase error that turns the MZI's rotation is in phase with the signal. A detector of the real part does not see the
    rest.

    Shapes:
        ``fields``: complex ``(meshes, n, columns)``, or real; ``phases``: ``(meshes, n^2)``;
        ``coupler_errors``: ``(meshes, n (n - 1))``, all the first couplers of MZIs, then all the second; ``passed``:
        share of a field that passes an MZI, ``(meshes,)``. Returns complex ``(meshes, n, columns)``.
    """
    from hardware_models.kernels.cpu import mesh

    fields = fields.to(torch.complex128).cpu()
    real, imaginary = fields.real.clone(), fields.imag.clone()
    couplers = torch.pi / 4 + coupler_errors.double().cpu()
    numbers = (part.double().cpu().contiguous().numpy() for part in (phases, couplers, passed))
    mesh.transmit(real.numpy(), imaginary.numpy(), layout(fields.shape[1]).line, *numbers)
    return torch.complex(real, imaginary).to(phases.device)
