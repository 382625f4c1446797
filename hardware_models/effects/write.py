"""Writes: what a request for a change becomes in a cell."""

import torch

PULSES_AT_MOST = 31
"""Longest stochastic pulse train of one update."""
WAN_2022 = (0.348, 16.03, -43.853, 45.393, -16.815)
"""uS, ascending powers of g: ReRAM programming error after 1 s (Wan et al., Nature 608, 504, 2022)."""
WAN_GMAX = 40.0
"""Greatest conductance of that ReRAM in microsiemens."""
JOSHI_2020 = (0.26348, 1.9650, -1.1731)
"""As `WAN_2022`, for PCM: aihwkit's fit to a million devices (Joshi et al., Nature Comm. 11, 2473, 2020)."""
JOSHI_GMAX = 25.0
"""Greatest conductance of that PCM in microsiemens."""


def whole_pulses(change: torch.Tensor, step: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    r"""Round a change to signed whole pulses at random, right on average up to the longest train.

    .. math:: n = \mathrm{sign}(\Delta)\, \min(\lfloor |\Delta| / d + u \rfloor, 31), \quad u \sim U[0, 1)
    """
    return (change.abs() / step + uniform).floor().clamp(max=PULSES_AT_MOST).copysign(change)


def soft_bounds(
    w: torch.Tensor,
    pulses: torch.Tensor,
    step_up: torch.Tensor,
    step_down: torch.Tensor,
    upper: torch.Tensor,
    lower: torch.Tensor,
) -> torch.Tensor:
    r"""Change of a soft-bounds cell after several pulses, in closed form.

    .. math::
        w \to w + d^+ (1 - w / w^+), \quad w \to w - d^- (1 - w / w^-), \quad
        \Delta_n = (w^\pm - w) \left[1 - (1 - d^\pm / |w^\pm|)^n\right]

    Args:
        w: State, between the bounds.
        pulses: How many; negative is down.
        step_up: Step at zero, upwards.
        step_down: Step at zero, downwards.
        upper: Upper bound, above zero.
        lower: Lower bound, below zero.

    Reference:
        Fusi and Abbott, Nature Neuroscience 10, 485 (2007); SoftBounds devices of aihwkit.
    """
    up = pulses > 0
    bound, step = torch.where(up, upper, lower), torch.where(up, step_up, step_down)
    remaining = (1 - step / bound.abs()).clamp(min=0) ** pulses.abs()
    return (bound - w) * (1 - remaining)


def programming_error(g: torch.Tensor, coefficients: tuple[float, ...], g_max: float) -> torch.Tensor:
    r"""Standard deviation that write-and-verify leaves, over the greatest conductance.

    .. math:: s(g) = \sum_k c_k g^k / G_\mathrm{max}

    Args:
        g: Wanted conductance over the greatest one, 0 to 1.
        coefficients: Ascending powers, in the unit of ``g_max``.
        g_max: Greatest conductance.
    """
    error = torch.zeros_like(g)
    for c in reversed(coefficients):
        error = error.mul_(g).add_(c)
    return error.clamp_(min=0).div_(g_max)
