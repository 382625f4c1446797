"""Images as Python gives them."""

from typing import Any

import torch


def checked(images: Any, n_in: int, device: str = "cpu") -> torch.Tensor:
    """Return images as single-precision numbers.

    Args:
        images: Any array ``(n, n_in)``.
        n_in: Numbers of an image.
        device: Where they are to be.

    Raises:
        ValueError: If their shape is another.
    """
    found = torch.as_tensor(images).to(device, torch.float32)
    if found.dim() != 2 or found.shape[1] != n_in or not len(found):
        advice = f"Give one image a row, such as images.reshape(-1, {n_in})."
        raise ValueError(f"Expected images (n, {n_in}). Got an array of shape {tuple(found.shape)}. {advice}")
    return found
