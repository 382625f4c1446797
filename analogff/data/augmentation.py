"""Changes of training images that keep their labels: shifts and flips."""

from typing import NamedTuple

import torch

from analogff.data.errors import DataError
from analogff.data.image_shape import ImageShape
from analogff.data.jitter import check_jitter, jittered
from analogff.device import derive_seed


class Augmentation(NamedTuple):
    """What may happen to a training image, anew in every epoch."""

    jitter: int = 0
    """Most pixels of a shift; a random crop of the image with so many zeros around it."""
    flip: bool = False
    """Whether half of the images are mirrored, left to right."""

    def check(self, shape: ImageShape | None) -> None:
        """Raise a `DataError` if images of this shape cannot be changed so."""
        check_jitter(self.jitter, shape)
        if self.flip and shape is None:
            raise DataError(
                "Expected images, to be flipped. Got a table, whose columns are in no place. Leave flip out, or store "
                "images (n, height, width).",
                "flip",
            )

    def draws(self, seed: int, epoch: int) -> "Draws":
        """Return the changes of an epoch, which learning seed and epoch alone decide."""
        return Draws(self, seed, epoch)


class Draws:
    """The changes of one epoch. Shifts and flips have draws of their own, so that one does not change the other.

    Args:
        augmentation: What may happen.
        seed: The learning seed.
        epoch: The epoch, past lessons included.
    """

    def __init__(self, augmentation: Augmentation, seed: int, epoch: int):
        self._augmentation = augmentation
        self._places = torch.Generator().manual_seed(derive_seed(seed, "jitter", epoch))
        self._sides = torch.Generator().manual_seed(derive_seed(seed, "flip", epoch))

    def applied(self, images: torch.Tensor, shape: ImageShape | None) -> torch.Tensor:
        """Return the next images of the epoch, ``(batch, n_in)``, changed."""
        images = jittered(images, shape, self._augmentation.jitter, self._places)
        if self._augmentation.flip and shape is not None:
            mirrored = torch.randint(2, (len(images),), generator=self._sides) == 1
            images = torch.where(mirrored.to(images.device)[:, None], flipped(images, shape), images)
        return images


def flipped(images: torch.Tensor, shape: ImageShape) -> torch.Tensor:
    """Return the mirror images, left to right, of images ``(batch, n_in)``; the channels of a pixel stay together."""
    return images.view(-1, shape.height, shape.width, shape.channels).flip(2).flatten(1)
