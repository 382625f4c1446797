"""Retention: leakage of charge between writes."""

import torch


def leaked(stored: torch.Tensor, rest: torch.Tensor, seconds: torch.Tensor, tau_seconds: torch.Tensor) -> torch.Tensor:
    r"""Voltage of a capacitor that discharges through a resistance.

    .. math:: v(t + s) = v_\infty + (v(t) - v_\infty)\, e^{-s / \tau}, \quad \tau = R C

    Exact in any number of steps, so no age is stored.

    Args:
        stored: ``v(t)``.
        rest: Voltage at the other end of the resistance.
        seconds: ``s``.
        tau_seconds: ``tau``.
    """
    return stored - (rest - stored) * torch.expm1(-seconds / tau_seconds)
