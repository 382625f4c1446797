"""Pendula that pull at each other: their equation of motion, and its solution in fixed steps."""

from collections.abc import Callable
from typing import Literal

import torch

Law = Literal["sines", "angles"]
Acceleration = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Of angles and angular velocities."""


def acceleration(
    q: torch.Tensor,
    velocity: torch.Tensor,
    coupling: torch.Tensor,
    law: Law = "sines",
    stiffness: torch.Tensor | float = 1.0,
    drive: torch.Tensor | float = 0.0,
    damping: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    r"""Angular acceleration of coupled pendula, in units of their natural frequency.

    .. math::
        \ddot q_i = -k_i \sin q_i + e_i - \gamma \dot q_i + \sum_j J_{ij} (\sin q_j - \sin q_i) \quad \text{(sines)},
        \qquad \sum_j J_{ij} \sin(q_j - q_i) \quad \text{(angles)}

    With symmetric ``J``, and without drive and damping, ``angles`` conserves the energy; ``sines`` does only without
    coupling, since its forces have no potential. Both are alike to first order in the angles.

    Shapes:
        ``q``, ``velocity``: ``(..., n)``; ``coupling``: ``(n, n)``, its diagonal zero.

    Args:
        q: Angles in radians.
        velocity: Their derivatives.
        coupling: ``J``.
        law: Which of the two.
        stiffness: ``k``, square of each natural frequency.
        drive: ``e``, a constant torque.
        damping: ``gamma``.

    Reference:
        sines: Wright et al., Nature 601, 549 (2022), coupled pendula, by the authors' code.
    """
    sine = torch.sin(q)
    if law == "sines":
        pull = sine @ coupling.mT - sine * coupling.sum(-1)
    else:
        cosine = torch.cos(q)
        pull = (sine @ coupling.mT) * cosine - (cosine @ coupling.mT) * sine
    return pull - stiffness * sine + drive - damping * velocity


def tangent(
    q: torch.Tensor,
    moved: torch.Tensor,
    velocity: torch.Tensor,
    coupling: torch.Tensor,
    law: Law = "sines",
    stiffness: torch.Tensor | float = 1.0,
    drive: torch.Tensor | float = 0.0,
    damping: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """Return the derivative of `acceleration` along a small change of the motion.

    Shapes:
        ``moved``, ``velocity``: those of ``q``, with further axes in front.

    Args:
        q: Angles.
        moved: Their change.
        velocity: The change of their derivatives.
        coupling: As there, and so the rest.
        law: As there.
        stiffness: As there.
        drive: Its change.
        damping: As there.
    """
    sine, cosine = torch.sin(q), torch.cos(q)
    if law == "sines":
        pull = (cosine * moved) @ coupling.mT - cosine * moved * coupling.sum(-1)
    else:
        pull = ((cosine * moved) @ coupling.mT) * cosine + ((sine * moved) @ coupling.mT) * sine
        pull = pull - moved * ((cosine @ coupling.mT) * cosine + (sine @ coupling.mT) * sine)
    return pull - stiffness * cosine * moved + drive - damping * velocity


def energy(q: torch.Tensor, velocity: torch.Tensor, coupling: torch.Tensor) -> torch.Tensor:
    r"""Energy of pendula with the law ``angles`` and stiffness 1, ``(...)``.

    .. math:: E = \sum_i \left(\tfrac12 \dot q_i^2 - \cos q_i\right) - \tfrac12 \sum_{ij} J_{ij} \cos(q_i - q_j)
    """
    sine, cosine = torch.sin(q), torch.cos(q)
    between = (cosine * (cosine @ coupling.mT) + sine * (sine @ coupling.mT)).sum(-1)
    return (velocity.square() / 2 - cosine).sum(-1) - between / 2


def move(
    q: torch.Tensor, velocity: torch.Tensor, accelerate: Acceleration, duration: float, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return angles and velocities after some time, by the classic Runge-Kutta method of fourth order.

    Args:
        q: Angles to begin with.
        velocity: Velocities to begin with.
        accelerate: Returns the acceleration.
        duration: Time.
        steps: Equal steps that it is cut into; the error falls with their fourth power.
    """
    h = duration / steps
    for _ in range(steps):
        v1, a1 = velocity, accelerate(q, velocity)
        v2 = velocity + h / 2 * a1
        a2 = accelerate(q + h / 2 * v1, v2)
        v3 = velocity + h / 2 * a2
        a3 = accelerate(q + h / 2 * v2, v3)
        v4 = velocity + h * a3
        a4 = accelerate(q + h * v3, v4)
        q = q + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
        velocity = velocity + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
    return q, velocity
