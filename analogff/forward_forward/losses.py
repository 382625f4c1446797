"""Losses of positive and negative goodness, with their derivatives in closed form."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn.functional import softplus


class Pull(NamedTuple):
    """The loss of each pair, and how it changes with each goodness; each ``(..., batch)``."""

    loss: torch.Tensor
    positive: torch.Tensor
    negative: torch.Tensor


Loss = Callable[[torch.Tensor, torch.Tensor, float, float], Pull]
"""``(positive goodness, negative goodness, scale, theta) -> Pull``."""


def hinton(positive: torch.Tensor, negative: torch.Tensor, scale: float, theta: float) -> Pull:
    r"""Push positive goodness above a threshold, and negative goodness below it.

    .. math:: L = \mathrm{softplus}(-\alpha (G_+ - \theta)) + \mathrm{softplus}(\alpha (G_- - \theta))

    Reference:
        Hinton (2022), section 2, equation 1.
    """
    over, under = scale * (positive - theta), scale * (negative - theta)
    return Pull(softplus(-over) + softplus(under), -scale * torch.sigmoid(-over), scale * torch.sigmoid(under))


def symba(positive: torch.Tensor, negative: torch.Tensor, scale: float, theta: float) -> Pull:
    r"""Push positive goodness above that of its own negative.

    .. math:: L = \mathrm{softplus}(-\alpha (G_+ - G_-))

    Reference:
        Lee & Song, SymBa (arXiv 2303.08418), equation 5. There is no threshold: ``theta`` is not used.
    """
    margin = scale * (positive - negative)
    pull = scale * torch.sigmoid(-margin)
    return Pull(softplus(-margin), -pull, pull)


def swish(positive: torch.Tensor, negative: torch.Tensor, scale: float, theta: float) -> Pull:
    r"""SymBa with a swish, whose gradient fades on pairs that are hopelessly wrong as well.

    .. math:: L = d\,\sigma(d), \quad d = -\alpha (G_+ - G_-)

    Reference:
        The code of dah33 for Forward-Forward (2023). There is no threshold: ``theta`` is not used.
    """
    d = scale * (negative - positive)
    gate = torch.sigmoid(d)
    pull = scale * gate * (1 + d * torch.sigmoid(-d))
    return Pull(d * gate, -pull, pull)


LOSSES: dict[str, Loss] = {"hinton": hinton, "symba": symba, "swish": swish}
