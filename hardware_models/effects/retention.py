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


def start_anew(
    cells: torch.Tensor,
    rested: torch.Tensor,
    drawn: torch.Tensor,
    written: torch.Tensor,
    relaxing: torch.Tensor,
    age_seconds: torch.Tensor,
) -> None:
    """Let cells relax from where they are, if they are not as the last wait left them, since they were written then.

    Args:
        cells: Where they are.
        rested: Where the last wait left them; NaN for all that have to start anew.
        drawn: Directions of relaxation for those that do.
        written: Where each was written, changed in place; so too:
        relaxing: Direction of each.
        age_seconds: Time since each was written.
    """
    fresh = cells != rested
    for kept, begun in ((written, cells), (relaxing, drawn), (age_seconds, torch.zeros_like(age_seconds))):
        kept.copy_(torch.where(fresh, begun, kept))
