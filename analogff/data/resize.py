"""Other sizes of stored arrays of images, and gray in place of colors."""

import numpy as np
from PIL import Image

from analogff.data.choice import DataChoice
from analogff.data.errors import DataError
from analogff.data.pictures import adapted
from analogff.data.raw import Raw


def resized(raw: Raw, choice: DataChoice) -> Raw:
    """Return arrays whose images are gray and of a size, as far as chosen; bytes stay bytes.

    Raises:
        DataError: If they are a table, or gray already.
    """
    if choice.image_size is None and not choice.gray:
        return raw
    parts = [_adapted(images, choice) for images in (raw.train_images, raw.test_images)]
    return raw._replace(train_images=parts[0], test_images=parts[1])


def _adapted(images: np.ndarray, choice: DataChoice) -> np.ndarray:
    if images.ndim not in (3, 4):
        raise no_pictures(choice, images.shape)
    if choice.gray:
        images = _grayed(images, choice.name)
    if choice.image_size is None:
        return images
    height, width = choice.image_size
    planes = images.reshape(-1, *images.shape[-2:])
    if planes.dtype != np.uint8:
        planes = planes.astype(np.float32)
    found = np.stack([np.asarray(adapted(Image.fromarray(plane), choice.image_size, False)) for plane in planes])
    return found.reshape(*images.shape[:-2], height, width)


def no_pictures(choice: DataChoice, shape: tuple[int, ...]) -> DataError:
    """Return the refusal of a size or of gray beside arrays of this shape, which hold no images."""
    field = "gray" if choice.gray else "image_size"
    return DataError(
        f"Expected images (n, height, width) beside {field}. Got an array {shape} of {choice.name}. Leave {field} out.",
        field,
    )


def _grayed(images: np.ndarray, name: str) -> np.ndarray:
    if images.ndim == 3 or images.shape[1] != 3:
        channels = 1 if images.ndim == 3 else images.shape[1]
        raise DataError(f"Expected three colors beside gray. Got {channels} in {name}. Leave gray out.", "gray")
    if images.dtype == np.uint8:
        colors = np.ascontiguousarray(np.moveaxis(images, 1, -1))
        return np.stack([np.asarray(adapted(Image.fromarray(image), None, True)) for image in colors])
    return np.tensordot(images.astype(np.float32), np.array([0.299, 0.587, 0.114], np.float32), axes=(1, 0))
