"""Labels written into the image."""

import torch

from analogff.device import Marked

NEUTRAL = 0.1


def variants(images: torch.Tensor, labels: torch.Tensor, classes: int) -> Marked:
    """As `overlay`, with several labels for each image, of which a simulation may share what they have in common.

    Shapes:
        ``images``: ``(batch, n)``; ``labels``: ``(variants, batch)`` or ``(chips, variants, batch)``.
    """
    shared = images.clone()
    shared[:, :classes] = 0
    marks = torch.nn.functional.one_hot(labels, classes).to(images.dtype)
    return Marked(shared.unsqueeze(0), marks if labels.dim() == 3 else marks.unsqueeze(0))


def overlay(images: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Write one-hot labels over the first pixels.

    Shapes:
        ``images``: ``(batch, n)``; ``labels``: ``(batch,)`` or ``(chips, batch)``. Returns ``(batch, n)`` or
        ``(chips, batch, n)``.

    Reference:
        Hinton (2022), section 3.3.
    """
    marked = images.expand(*labels.shape, -1).clone()
    marked[..., :classes] = 0
    return marked.scatter_(-1, labels.unsqueeze(-1), 1.0)


def overlay_neutral(images: torch.Tensor, classes: int) -> torch.Tensor:
    """Write the label that says nothing, 0.1 for every class."""
    marked = images.clone()
    marked[..., :classes] = NEUTRAL
    return marked
