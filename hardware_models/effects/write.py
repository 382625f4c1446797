"""Writes: the change of a cell for a requested change."""

import math

import torch

PULSES_AT_MOST = 31
"""Longest stochastic pulse train of one update."""
WAN_2022 = (0.348, 16.03, -43.853, 45.393, -16.815)
"""uS, ascending powers of g: ReRAM programming error after 1 s (Wan et al., Nature 608, 504, 2022)."""
WAN_GMAX = 40.0
"""Greatest conductance of that ReRAM in microsiemens."""
WAN_2022_DAY = (0.701, 22.086, -50.773, 47.095, -16.458)
"""As `WAN_2022`, after one day."""
WAN_2022_TWO_DAYS = (0.782, 20.274, -43.507, 37.062, -11.934)
"""As `WAN_2022`, after two days."""
DAY_SECONDS = 86400.0
JOSHI_2020 = (0.26348, 1.9650, -1.1731)
"""As `WAN_2022`, for PCM: aihwkit's fit to a million devices (Joshi et al., Nature Comm. 11, 2473, 2020)."""
JOSHI_GMAX = 25.0
"""Greatest conductance of that PCM in microsiemens."""


def whole_pulses(change: torch.Tensor, step: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    r"""Round a change stochastically to signed whole pulses, unbiased up to the longest train.

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
        pulses: Number of pulses; negative is down.
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


def symmetry_point(
    step_up: torch.Tensor, step_down: torch.Tensor, upper: torch.Tensor, lower: torch.Tensor
) -> torch.Tensor:
    r"""Symmetry point of a soft-bounds cell, where steps up and down are equal; alternating pulses lead there.

    .. math::
        d^+ (1 - w / w^+) = d^- (1 - w / w^-) \quad\Rightarrow\quad
        w = \frac{d^+ - d^-}{d^+ / w^+ - d^- / w^-}

    For `linear_step` it is the same with ``w / gamma`` instead of each bound.

    Args:
        step_up: Step at zero, upwards.
        step_down: Step at zero, downwards.
        upper: State at which up-steps vanish, above zero.
        lower: State at which down-steps vanish, below zero.

    Reference:
        Gong et al., IEDM 2022: the state of a reference cell.
    """
    return (step_up - step_down) / (step_up / upper - step_down / lower)


def linear_step(
    w: torch.Tensor,
    pulses: torch.Tensor,
    step_up: torch.Tensor,
    step_down: torch.Tensor,
    fall_up: torch.Tensor,
    fall_down: torch.Tensor,
) -> torch.Tensor:
    r"""Change of a cell whose step is linear in its state, after several pulses, in closed form.

    .. math::
        w \to w + d^+ (1 - f^+ w), \quad w \to w - d^- (1 + f^- w), \quad
        \Delta_n = \pm d^\pm (1 \mp f^\pm w)\, \frac{1 - (1 - d^\pm f^\pm)^n}{d^\pm f^\pm}

    A constant step has ``f = 0``; soft bounds have ``f = 1 / |bound|``. Bounds are not applied here. The step keeps its
    sign, so clipping once after the last pulse equals clipping after each.

    Args:
        w: State.
        pulses: Number of pulses; negative is down.
        step_up: Step at zero, upwards.
        step_down: Step at zero, downwards.
        fall_up: Share of the up-step lost for a unit of state, ``gamma / w_max``.
        fall_down: Share of the down-step lost for a unit of state downwards, ``gamma / |w_min|``.

    Reference:
        LinearStep devices of aihwkit, with its ``mult_noise``; ECRAM: Tang et al., IEDM 2018.
    """
    up = pulses > 0
    step, fall = torch.where(up, step_up, -step_down), torch.where(up, fall_up, -fall_down)
    lost = (step * fall).clamp(max=1 - 1e-6)
    count = pulses.abs()
    steps = torch.where(lost == 0, count, -torch.expm1(count * torch.log1p(-lost)) / lost)
    return step * (1 - fall * w) * steps


def exponential_step(
    w: torch.Tensor,
    pulses: torch.Tensor,
    step_up: torch.Tensor,
    step_down: torch.Tensor,
    upper: torch.Tensor,
    lower: torch.Tensor,
    *,
    slope: float,
    offset: float,
    steepness: tuple[float, float],
    strength: tuple[float, float],
) -> torch.Tensor:
    r"""Change of a cell whose step is exponential in its state, after several pulses, one by one.

    .. math::
        z = \frac{2 a w}{w^+ - w^-} + b, \quad
        w \to w + d^+ \max(1 - A^+ e^{\gamma^+ z}, 0), \quad
        w \to w - d^- \max(1 - A^- e^{-\gamma^- z}, 0)

    clipped to the bounds after each pulse. There is no closed form, so pulses are applied one by one.

    Args:
        w: State.
        pulses: Whole number of pulses; negative is down.
        step_up: Up-step where the exponential vanishes.
        step_down: Down-step where the exponential vanishes.
        upper: Upper bound.
        lower: Lower bound.
        slope: ``a``.
        offset: ``b``.
        steepness: ``gamma`` up and down.
        strength: ``A`` up and down.

    Reference:
        ExpStep devices of aihwkit; ReRAM: Gong et al., Nature Communications 9, 2102 (2018).
    """
    up, left, now = pulses > 0, pulses.abs().nan_to_num(), w
    sign = torch.where(up, 1.0, -1.0)
    step, a = sign * torch.where(up, step_up, step_down), torch.where(up, strength[0], strength[1])
    gamma = sign * torch.where(up, steepness[0], steepness[1])
    for k in range(int(left.max()) if left.numel() else 0):
        z = now * (2 * slope / (upper - lower)) + offset
        moved = step * (1 - a * (gamma * z).exp()).clamp(min=0)
        now = torch.where(left > k, torch.clamp(now + moved, lower, upper), now)
    return now - w + 0 * pulses  # NaN stays NaN


def tunnelling(
    w: torch.Tensor, pulses: torch.Tensor, step_up: torch.Tensor, step_down: torch.Tensor, fold: torch.Tensor
) -> torch.Tensor:
    r"""Change of a floating gate after several pulses; tunneled charge slows further tunneling.

    .. math::
        \frac{dw}{dn} = \pm d^\pm e^{\mp w / w_0} \quad\Rightarrow\quad
        \Delta_n = \pm w_0 \ln\left(1 + \frac{n d^\pm}{w_0} e^{\mp w / w_0}\right)

    Exact for pulses of one height, which add up to one long pulse. Hence the logarithm of the programming time.

    Args:
        w: State, a shift of the threshold voltage, in the units of the steps and ``fold``.
        pulses: Number of pulses; negative is down.
        step_up: Rate at zero, upwards, a pulse.
        step_down: Rate at zero, downwards, a pulse.
        fold: ``w_0``: the shift that changes the tunneling current by a factor of e.

    Reference:
        The current of Lenzlinger and Snow, J. Appl. Phys. 40, 278 (1969), ``E^2 exp(-B / E)``, with its exponent
        taken as linear in the shift.
    """
    up = pulses > 0
    sign, step = torch.where(up, 1.0, -1.0), torch.where(up, step_up, step_down)
    return sign * fold * torch.log1p(pulses.abs() * step / fold * (-sign * w / fold).exp())


def relaxation(g: torch.Tensor, seconds: torch.Tensor) -> torch.Tensor:
    r"""Standard deviation of the change of ReRAM conductances since one second after programming.

    .. math:: s^2(g, t) = \max\left[\sigma^2(g, t) - \sigma^2(g, 1\,\mathrm{s}), 0\right]

    with the squares of the three published errors `WAN_2022`, `WAN_2022_DAY` and `WAN_2022_TWO_DAYS` interpolated
    linearly in the logarithm of time. Before one second the change is zero. There are no data after two days, so the
    error stays constant.

    Args:
        g: Conductance over the greatest one, 0 to 1.
        seconds: Time since programming.

    Returns:
        In units of the greatest conductance.

    Reference:
        Wan et al., Nature 608, 504 (2022); constants as in aihwkit's ReRAM noise model.
    """
    fits = (WAN_2022, WAN_2022_DAY, WAN_2022_TWO_DAYS)
    second, day, two_days = (programming_error(g, fit, WAN_GMAX).square_() for fit in fits)
    log, log_day = seconds.clamp(1.0, 2 * DAY_SECONDS).log(), math.log(DAY_SECONDS)
    first, then = (log / log_day).clamp(max=1.0), ((log - log_day) / math.log(2.0)).clamp(0.0, 1.0)
    return (first * (day - second) + then * (two_days - day)).clamp(min=0).sqrt()


def programming_error(g: torch.Tensor, coefficients: tuple[float, ...], g_max: float) -> torch.Tensor:
    r"""Standard deviation after write-and-verify, over the greatest conductance.

    .. math:: s(g) = \sum_k c_k g^k / G_\mathrm{max}

    Args:
        g: Target conductance over the greatest one, 0 to 1.
        coefficients: Ascending powers, in the unit of ``g_max``.
        g_max: Greatest conductance.
    """
    error = torch.zeros_like(g)
    for c in reversed(coefficients):
        error = error.mul_(g).add_(c)
    return error.clamp_(min=0).div_(g_max)
