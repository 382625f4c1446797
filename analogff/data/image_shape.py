"""Shapes of images."""

from typing import NamedTuple

import numpy as np

from analogff.data.errors import DataError

_MOST_LAST = 4  # a last axis of this length holds colors, or colors and transparency


class ImageShape(NamedTuple):
    """Layout of an image on input lines: row by row, the channels of a pixel together."""

    channels: int
    """Numbers of a pixel: 1 for gray, 3 for colors."""
    height: int
    """Pixels from top to bottom."""
    width: int
    """Pixels from left to right."""

    @property
    def n_in(self) -> int:
        """Numbers of an image."""
        return self.channels * self.height * self.width

    def __str__(self) -> str:
        return f"{self.channels} x {self.height} x {self.width} (channels, height, width)"


def image_shape(name: str, images: np.ndarray) -> ImageShape | None:
    """Return the shape of stored images, ``(n, height, width)`` or ``(n, channels, height, width)``; None for a table.

    Raises:
        DataError: If the array is neither these nor a table ``(n, columns)``, or if its channels are last.
    """
    if images.ndim == 2:
        return None
    if images.ndim == 3:
        return ImageShape(1, *images.shape[1:])
    if images.ndim != 4:
        raise DataError(
            f"Expected {name} with images (n, height, width) or (n, channels, height, width), or a table (n, columns). "
            f"Got {images.ndim} dimensions, {images.shape}. Reshape the array."
        )
    shape = ImageShape(*images.shape[1:])
    if shape.width <= _MOST_LAST < shape.channels:
        raise DataError(
            f"Expected {name} with images (n, channels, height, width). Got {images.shape}, whose channels stand last. "
            "Store images.transpose(0, 3, 1, 2)."
        )
    return shape


def flattened(images: np.ndarray) -> np.ndarray:
    """Return each image in one line: row by row, the channels of a pixel together."""
    pixels = np.moveaxis(images, 1, -1) if images.ndim == 4 else images
    return pixels.reshape(len(images), -1)
