"""Labels written into the image."""

import torch

NEUTRAL = 0.1


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
