"""The two terms of losses that separate, each alone, for inputs that come without their counterpart."""

from typing import NamedTuple

import torch
from torch.nn.functional import softplus

from analogff.forward_forward.losses import SCFF_PENALTY, SCFF_SLACK, Number
from analogff.learning.batch import Phase


class Push(NamedTuple):
    """The loss of each sample and its derivative by the goodness; each ``(..., batch)``."""

    loss: torch.Tensor
    slope: torch.Tensor


def hinton_one_sided(goodness: torch.Tensor, scale: Number, theta: Number, phase: Phase) -> Push:
    """Return the term of `losses.hinton` that holds the goodness awake (positive) or asleep (negative)."""
    sign = -1 if phase == "wake" else 1
    over = sign * scale * (goodness - theta)
    return Push(softplus(over), sign * scale * torch.sigmoid(over))


def scff_one_sided(
    goodness: torch.Tensor,
    scale: Number,
    theta: Number,
    phase: Phase,
    *,
    slack: float = SCFF_SLACK,
    penalty: float = SCFF_PENALTY,
) -> Push:
    """Return the term of `losses.scff` that holds the goodness awake (positive) or asleep (negative)."""
    if phase == "sleep":
        return hinton_one_sided(goodness, scale, theta + slack, phase)
    loss, slope = hinton_one_sided(goodness, scale, theta, phase)
    return Push(loss + penalty * goodness.abs(), slope + penalty * goodness.sign())


ONE_SIDED_LOSSES = {"hinton": hinton_one_sided, "scff": scff_one_sided}
"""By the names in `LOSSES`."""
