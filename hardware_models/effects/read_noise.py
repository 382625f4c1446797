"""Noise of a read; each function gives a standard deviation, from which the kernels draw samples."""

import torch

from analogff.device import product


def sum_noise(x: torch.Tensor, weight_noise: torch.Tensor) -> torch.Tensor:
    r"""Noise of weighted sums with independent fluctuations of every weight at every read.

    .. math:: \mathrm{Var}\left[\sum_i (W_{ji} + s \xi_{ji}) x_i\right] = s^2 |x|^2

    Exact for Gaussian fluctuations, so no draws for single weights are needed.

    Shapes:
        ``x``: ``(chips, batch, n_in)``; returns ``(chips, batch, 1)``.
    """
    return weight_noise * torch.linalg.vector_norm(x, dim=2, keepdim=True)


def sum_noise_of(x: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    r"""As `sum_noise`, with a variance for each weight: ``sqrt(sum_i v_ji x_i^2)``.

    Shapes:
        ``x``: ``(chips, batch, n_in)``, ``variance``: ``(chips, n_out, n_in)``; returns
        ``(chips, batch, n_out)``.
    """
    return product(x.square(), variance).sqrt_()


def flicker(g: torch.Tensor, seconds: torch.Tensor, read_seconds: float = 250e-9) -> torch.Tensor:
    r"""1/f noise of a phase-change cell, relative to its drifted conductance.

    .. math:: \frac{s}{g(t)} = \min(0.0088\, g^{-0.65}, 0.2) \sqrt{\ln \frac{t + t_r}{2 t_r}}

    Args:
        g: Conductance as programmed, over the greatest one.
        seconds: Time since the cell was written; before ``read_seconds`` the noise is zero.
        read_seconds: Length of a read.

    Reference:
        Joshi et al., Nature Communications 11, 2473 (2020), methods; constants as in aihwkit's PCM-like noise
        model, fitted to a million devices.
    """
    strength = (0.0088 * g**-0.65).clamp(max=0.2)
    return strength * ((seconds + read_seconds) / (2 * read_seconds)).log().clamp(min=0).sqrt()
