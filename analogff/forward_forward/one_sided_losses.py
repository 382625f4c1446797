"""The two terms of losses that separate, each alone, for inputs that come without their counterpart."""

from typing import NamedTuple

import torch
from torch.nn.functional import softplus

from analogff.forward_forward.losses import SCFF_PENALTY, SCFF_SLACK, Number
from analogff.forward_forward.wake_sleep import Half


class Push(NamedTuple):
    """The loss of each sample and its derivative by the goodness; each ``(..., batch)``."""

    loss: torch.Tensor
    slope: torch.Tensor


def hinton_half(goodness: torch.Tensor, scale: Number, theta: Number, half: Half) -> Push:
    """Return the term of `losses.hinton` that holds the goodness awake (positive) or asleep (negative)."""
    sign = -1 if half == "wake" else 1
    over = sign * scale * (goodness - theta)
    return Push(softplus(over), sign * scale * torch.sigmoid(over))


def scff_half(
    goodness: torch.Tensor,
    scale: Number,
    theta: Number,
    half: Half,
    *,
    slack: float = SCFF_SLACK,
    penalty: float = SCFF_PENALTY,
) -> Push:
    """Return the term of `losses.scff` that holds the goodness awake (positive) or asleep (negative)."""
    if half == "sleep":
        return hinton_half(goodness, scale, theta + slack, half)
    loss, slope = hinton_half(goodness, scale, theta, half)
    return Push(loss + penalty * goodness.abs(), slope + penalty * goodness.sign())


HALVES = {"hinton": hinton_half, "scff": scff_half}
"""By the names in `LOSSES`."""
