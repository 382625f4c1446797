"""Losses of positive and negative goodness, with their derivatives in closed form."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn.functional import softplus

SCFF_SLACK, SCFF_PENALTY = 1.0, 0.001


class Pull(NamedTuple):
    """The loss of each pair, and how it changes with each goodness; each ``(..., batch)``."""

    loss: torch.Tensor
    positive: torch.Tensor
    negative: torch.Tensor


Number = float | torch.Tensor
Loss = Callable[[torch.Tensor, torch.Tensor, Number, Number], Pull]
"""``(positive goodness, negative goodness, scale, theta) -> Pull``."""


def hinton(positive: torch.Tensor, negative: torch.Tensor, scale: Number, theta: Number) -> Pull:
    r"""Push positive goodness above a threshold, and negative goodness below it.

    .. math:: L = \mathrm{softplus}(-\alpha (G_+ - \theta)) + \mathrm{softplus}(\alpha (G_- - \theta))

    Reference:
        Hinton (2022), section 2, equation 1.
    """
    over, under = scale * (positive - theta), scale * (negative - theta)
    return Pull(softplus(-over) + softplus(under), -scale * torch.sigmoid(-over), scale * torch.sigmoid(under))


def symba(positive: torch.Tensor, negative: torch.Tensor, scale: Number, theta: Number) -> Pull:
    r"""Push positive goodness above that of its own negative.

    .. math:: L = \mathrm{softplus}(-\alpha (G_+ - G_-))

    Reference:
        Lee & Song, SymBa (arXiv 2303.08418), equation 5. There is no threshold: ``theta`` is not used.
    """
    margin = scale * (positive - negative)
    pull = scale * torch.sigmoid(-margin)
    return Pull(softplus(-margin), -pull, pull)


def swish(positive: torch.Tensor, negative: torch.Tensor, scale: Number, theta: Number) -> Pull:
    r"""SymBa with a swish, whose gradient fades on pairs that are hopelessly wrong as well.

    .. math:: L = d\,\sigma(d), \quad d = -\alpha (G_+ - G_-)

    Reference:
        The code of dah33 for Forward-Forward (2023). There is no threshold: ``theta`` is not used.
    """
    d = scale * (negative - positive)
    gate = torch.sigmoid(d)
    pull = scale * gate * (1 + d * torch.sigmoid(-d))
    return Pull(d * gate, -pull, pull)


def scff(
    positive: torch.Tensor,
    negative: torch.Tensor,
    scale: Number,
    theta: Number,
    *,
    slack: float = SCFF_SLACK,
    penalty: float = SCFF_PENALTY,
) -> Pull:
    r"""Push positive goodness above one threshold and negative goodness below a higher one, and keep both small.

    .. math:: L = \mathrm{softplus}(-\alpha (G_+ - \theta)) + \mathrm{softplus}(\alpha (G_- - \theta - s))
              + \lambda |G_+|

    Args:
        positive: Goodness of the positive half.
        negative: Goodness of the negative half.
        scale: ``alpha``.
        theta: Threshold of the positive goodness.
        slack: ``s``; in the authors' settings for CIFAR-10, layer by layer: 1, 4 and 4.
        penalty: ``lambda``; in the same settings: 0.0012, 0.0007 and 0.0005.

    Reference:
        Chen et al., Self-Contrastive Forward-Forward (Nature Communications 16, 2025, 5978), and the authors' code,
        where both scales are 1.
    """
    over, under = scale * (positive - theta), scale * (negative - theta - slack)
    return Pull(
        softplus(-over) + softplus(under) + penalty * positive.abs(),
        penalty * positive.sign() - scale * torch.sigmoid(-over),
        scale * torch.sigmoid(under),
    )


LOSSES: dict[str, Loss] = {"hinton": hinton, "symba": symba, "swish": swish, "scff": scff}
