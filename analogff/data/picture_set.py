"""Class-named images as arrays: decoded once, then read from a cache."""

import collections
import functools
import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import PIL

from analogff.data import cache
from analogff.data.errors import DataError
from analogff.data.picture_files import PARTS, Picture, contents, is_archive, listed
from analogff.data.pictures import decoded, is_colored
from analogff.data.raw import Raw
from analogff.support.fingerprints import sum_of_file

_FORMAT = "1"  # of what is cached
_SETTLED_SECONDS = 2.0  # a file may change again without another time within the resolution of a clock


def sum_of_pictures(path: Path) -> str:
    """Return the checksum of an archive, or of the names and contents of a folder's images.

    That of a folder is computed once: names, sizes and times of the files say whether it still holds.

    Raises:
        DataError: If a file cannot be read, or is out of place.
    """
    try:
        if is_archive(path):
            return sum_of_file(path)
        stated, newest = _state(path)
    except OSError as error:
        raise DataError(f"Expected {path} to be readable. Got {error.strerror}. Make it readable.") from None
    if (known := cache.text(stated)) is not None:
        return known
    found = hashlib.sha256()
    for picture, content in contents(path):
        found.update(f"{picture}\n{hashlib.sha256(content).hexdigest()}\n".encode("utf-8", "surrogateescape"))
    if time.time() - newest > _SETTLED_SECONDS:
        cache.keep_text(stated, found.hexdigest())
    return found.hexdigest()


def _state(folder: Path) -> tuple[str, float]:
    """Return the checksum of names, sizes and times, and the newest time in seconds."""
    found, newest = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")), 0
    for picture in listed(folder):
        status = os.stat(os.path.join(folder, *picture))
        newest = max(newest, status.st_mtime_ns, status.st_ctime_ns)
        times = f"{status.st_mtime_ns} {status.st_ctime_ns}"  # a copy may keep the first
        found.update(f"\n{picture} {status.st_size} {times}".encode("utf-8", "surrogateescape"))
    return found.hexdigest(), newest / 1e9


@functools.lru_cache(maxsize=2)
def read_pictures(path: Path, state: str, size: tuple[int, int] | None, gray: bool) -> Raw:
    """Return class-named images: ``(n, height, width)`` if all are gray, else ``(n, 3, height, width)``.

    Training images are in a fixed random order, so that the first and the last ones are of all classes.

    Args:
        path: A folder or a tar archive.
        state: Its `sum_of_pictures`.
        size: Height and width to resize to.
        gray: Whether colors become gray.

    Raises:
        DataError: If an image is damaged or out of place, or sizes differ without a size to resize to.
    """
    decoder = f"{_FORMAT} {PIL.__version__} {size} {gray}"
    key = hashlib.sha256(f"{state} {decoder}".encode()).hexdigest()
    arrays = cache.arrays(key, Raw._fields)
    if arrays is None:
        arrays = _decode(path, size, gray)
        cache.keep_arrays(key, arrays)
    return Raw(**{name: _channels_first(array) for name, array in arrays.items()})


def _decode(path: Path, size: tuple[int, int] | None, gray: bool) -> dict[str, np.ndarray]:
    """Return the fields of `Raw`, channels last."""
    images, colored = {}, False
    for picture, content in contents(path):
        images[picture] = decoded(content, f"{path}/{picture}", size, gray)
        colored = colored or (gray and is_colored(content))
    if images and gray and not colored:
        raise DataError(f"Expected colors in {path} beside gray. Got gray images only. Leave gray out.", "gray")
    images = dict(sorted(images.items()))
    _refuse_unequal(images, path)
    channels = max((image.ndim for image in images.values()), default=2)
    arrays = {}
    for part in PARTS:
        own = [picture for picture in images if picture.part == part]
        if not own:
            raise DataError(f"Expected PNG or JPEG files in {part}/CLASS folders of {path}. Got none. Put some there.")
        if part == "train":
            own = [own[place] for place in np.random.RandomState(0).permutation(len(own))]
        arrays[f"{part}_images"] = np.stack([_colored(images[picture], channels) for picture in own])
        arrays[f"{part}_labels"] = np.array([picture.label for picture in own])
    return arrays


def _colored(image: np.ndarray, dimensions: int) -> np.ndarray:
    """Return a gray image among colored ones as three equal channels."""
    return image if image.ndim == dimensions else np.repeat(image[..., None], 3, axis=-1)


def _channels_first(array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array, -1, 1) if array.ndim == 4 else array


def _refuse_unequal(images: Mapping[Picture, np.ndarray], path: Path) -> None:
    sizes = collections.Counter(image.shape[:2] for image in images.values())
    if len(sizes) > 1:
        usual, times = sizes.most_common(1)[0]
        other = next(picture for picture, image in images.items() if image.shape[:2] != usual)
        got = images[other].shape
        raise DataError(
            f"Expected images of one size in {path}. Got {usual[0]} x {usual[1]} (height x width) in {times} of "
            f"{len(images)} and {got[0]} x {got[1]} in {other}. Write image_size = [{usual[0]}, {usual[1]}] to "
            "resize all of them.",
            "image_size",
        )
