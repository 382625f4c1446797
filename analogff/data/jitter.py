"""Training images a few pixels from where they were."""

import math

import torch
from torch.nn.functional import pad

from analogff.data.errors import DataError


def jittered(images: torch.Tensor, pixels: int, generator: torch.Generator) -> torch.Tensor:
    """Shift each image by whole pixels of its own, uniformly up to ``pixels`` either way in both directions.

    What is shifted in is 0; what leaves is lost.

    Args:
        images: Square ones, ``(batch, n)``.
        pixels: The most; 0 returns the images and draws nothing.
        generator: On the CPU.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 3.3: up to two pixels.
    """
    if pixels == 0:
        return images
    side = math.isqrt(images.shape[1])
    wide = side + 2 * pixels
    # A window into the padded image, that has its corner where the shift says.
    drawn = torch.randint(2 * pixels + 1, (len(images), 2), generator=generator)
    down, right = drawn.to(images.device, non_blocking=True).unbind(1)
    lines = torch.arange(side, device=images.device)
    window = (lines[:, None] * wide + lines).flatten()
    padded = pad(images.view(-1, side, side), (pixels,) * 4).flatten(1)
    return padded.gather(1, (down * wide + right)[:, None] + window)


def check_jitter(pixels: int, n_in: int) -> None:
    """Raise a `DataError` if images of ``n_in`` pixels cannot be shifted so far."""
    side = math.isqrt(n_in)
    if pixels and side * side != n_in:
        raise DataError(f"Expected square images, to be shifted. Got images of {n_in} pixels. Write jitter = 0.")
    if pixels and pixels >= side:
        raise DataError(
            f"Expected fewer pixels than the {side} of an image's side. Got {pixels}, which may leave nothing of it. "
            "Shift by fewer."
        )
