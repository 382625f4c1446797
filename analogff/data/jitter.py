"""Random shifts of training images."""

import torch
from torch.nn.functional import pad

from analogff.data.errors import DataError
from analogff.data.image_shape import ImageShape


def jittered(images: torch.Tensor, shape: ImageShape | None, pixels: int, generator: torch.Generator) -> torch.Tensor:
    """Shift each image by random whole pixels, uniformly up to ``pixels`` either way in both directions.

    New pixels are 0, and pixels shifted out are lost. The channels of a pixel stay together.

    Args:
        images: ``(batch, n_in)``, row by row.
        shape: Of an image; None, for a table, serves 0 pixels only.
        pixels: Greatest shift; 0 returns the images and draws nothing.
        generator: A generator on the CPU.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 3.3: up to two pixels.
    """
    check_jitter(pixels, shape)
    if pixels == 0 or shape is None:
        return images
    channels, height, width = shape
    across = (width + 2 * pixels) * channels
    # A window into the padded image; the shift is its corner.
    drawn = torch.randint(2 * pixels + 1, (len(images), 2), generator=generator)
    down, right = drawn.to(images.device, non_blocking=True).unbind(1)
    rows = torch.arange(height, device=images.device)
    window = (rows[:, None] * across + torch.arange(width * channels, device=images.device)).flatten()
    padded = pad(images.view(-1, height, width, channels), (0, 0, *(pixels,) * 4)).flatten(1)
    return padded.gather(1, (down * across + right * channels)[:, None] + window)


def check_jitter(pixels: int, shape: ImageShape | None) -> None:
    """Raise a `DataError` if images of this shape cannot be shifted that far."""
    if pixels == 0:
        return
    if shape is None:
        raise DataError(
            "Expected images, to be shifted. Got a table, whose columns are in no place. Write jitter = 0, or store "
            "images (n, height, width).",
            "jitter",
        )
    side = min(shape.height, shape.width)
    if pixels >= side:
        raise DataError(
            f"Expected fewer pixels than the {side} of an image's shorter side. Got {pixels}, which may leave nothing "
            "of it. Shift by fewer.",
            "jitter",
        )
