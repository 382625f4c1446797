"""Mismatch of nominally equal circuits, fixed when a chip is made."""

import torch


def factor(spread: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    r"""A lognormal factor for each part, ``exp(spread xi)``, with median 1.

    It is lognormal since a threshold voltage is in an exponent: 5 mV is 14 % of current in weak inversion. The nominal
    part is the median. The mean is ``exp(spread^2 / 2)``, 1.65 at a spread of 1. `unit_mean_factor` serves parameters
    given by their mean.
    """
    return (spread * normal).exp_()


def unit_mean_factor(spread: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """As `factor`, with mean 1: ``exp(spread xi - spread^2 / 2)``."""
    return (spread * normal - spread.square() / 2).exp_()


def offset(spread: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """An offset of a weighted sum of typical size 1, with half the spread of the gains."""
    return 0.5 * spread * normal
