"""Differences between circuits that were drawn alike; fixed when a chip is made."""

import torch


def factor(spread: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    r"""A positive factor that differs from part to part, ``exp(spread xi)``, with median 1.

    Lognormal since it comes from a threshold voltage in an exponent: 5 mV is 14 % of current in weak
    inversion. The nominal part is the median one; the mean is ``exp(spread^2 / 2)``, 1.65 at a spread of 1. For what
    is told by its mean take `unit_mean_factor`.
    """
    return (spread * normal).exp_()


def unit_mean_factor(spread: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """As `factor`, with mean 1: ``exp(spread xi - spread^2 / 2)``."""
    return (spread * normal - spread.square() / 2).exp_()


def offset(spread: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """An addition to a weighted sum, whose typical size is 1: half the spread of the gains."""
    return 0.5 * spread * normal
