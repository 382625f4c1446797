"""Retention: charge that leaks while nothing is written."""

import torch


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
