"""Retention: stored values that relax, and charge that leaks, while nothing is written."""

import torch


def relaxed(
    stored: torch.Tensor, rest: torch.Tensor, seconds: torch.Tensor, tau_seconds: torch.Tensor, beta: torch.Tensor
) -> torch.Tensor:
    r"""What is left of a stored value: a stretched exponential towards where a cell rests.

    .. math:: g(t) = g_\infty + (g_0 - g_\infty)\, e^{-(t / \tau)^\beta}

    Time counts from the write. Only with ``beta = 1`` may the law start anew from what is left; otherwise keep what was
    stored, and its age.

    Args:
        stored: ``g_0``, just after the write.
        rest: ``g_inf``.
        seconds: ``t``, 0 or more.
        tau_seconds: ``tau``, after which 1/e of the way is left, whatever ``beta``.
        beta: From 0 (exclusive) to 1; the smaller, the faster at first and the slower later.

    Reference:
        Kohlrausch, Annalen der Physik 167, 56 (1854).
    """
    return stored - (rest - stored) * torch.expm1(-((seconds / tau_seconds) ** beta))


def leaked(stored: torch.Tensor, rest: torch.Tensor, seconds: torch.Tensor, tau_seconds: torch.Tensor) -> torch.Tensor:
    r"""What is left on a capacitor that discharges through a resistance.

    .. math:: v(t + s) = v_\infty + (v(t) - v_\infty)\, e^{-s / \tau}, \quad \tau = R C

    Exact in any number of steps, so no age has to be kept.

    Args:
        stored: ``v(t)``.
        rest: Voltage at the other end of the resistance.
        seconds: ``s``.
        tau_seconds: ``tau``.
    """
    return stored - (rest - stored) * torch.expm1(-seconds / tau_seconds)
