"""From a name to images and labels as tensors, with the test set kept apart."""

import dataclasses
import difflib
from pathlib import Path

import numpy as np
import torch

from analogff.data import sources
from analogff.data.errors import DataError
from analogff.data.sources import Raw

_NAMED = {
    "mnist": sources.mnist,
    "fashion-mnist": lambda: sources.fashion_mnist(sources.find_fashion_mnist()),
    "digits": sources.digits,
}


@dataclasses.dataclass(frozen=True)
class Split:
    """Images, ``(n, n_in)`` float32 in [0, 1], and their labels, ``(n,)`` int64."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set in three parts; nothing is ever chosen on the last."""

    name: str
    """As the study file says it."""
    train: Split
    """To learn from."""
    validation: Split
    """Held out of the training images, to choose by; may be empty."""
    test: Split
    """To report, always whole."""
    n_in: int
    """Pixels of an image."""
    classes: int
    """Number of labels, which run from 0."""


def dataset_names() -> list[str]:
    """Return the names that `load_dataset` knows besides folders."""
    return list(_NAMED)


def load_dataset(
    name: str,
    *,
    train_images: int | None = None,
    validation_images: int = 0,
    folder: Path | str = ".",
    device: torch.device | str = "cpu",
) -> Dataset:
    """Load a data set by name, or from a folder of IDX or NPZ files.

    The validation images are the last of the training images, whatever else is asked, so that two studies
    with different numbers of training images choose by the same ones.

    Args:
        name: One of `dataset_names`, or a folder.
        train_images: How many to learn from, taken from the front; None for all that validation leaves.
        validation_images: How many to hold out.
        folder: What a relative folder is relative to.
        device: Where the tensors go.

    Raises:
        DataError: If the data is missing or damaged, or has fewer images than asked.
    """
    raw = _raw(name, Path(folder))
    train = _split(name, raw.train_images, raw.train_labels)
    test = _split(name, raw.test_images, raw.test_labels)
    n_in = train.images.shape[1]
    if test.images.shape[1] != n_in:
        raise DataError(
            f"Expected {name} with images of one size. Got {n_in} pixels in training and "
            f"{test.images.shape[1]} in test images. Store both with the same size."
        )
    first_held_out, count = _divide(name, len(train), train_images, validation_images)
    return Dataset(
        name=name,
        train=_part(train, slice(0, count), device),
        validation=_part(train, slice(first_held_out, None), device),
        test=_part(test, slice(None), device),
        n_in=n_in,
        classes=int(max(train.labels.max(), test.labels.max())) + 1,
    )


def check_dataset(name: str, folder: Path | str = ".") -> None:
    """Raise a `DataError` if `load_dataset` would not find the data; reads none of it."""
    if name in ("mnist", "digits"):
        return
    if name == "fashion-mnist":
        sources.find_fashion_mnist()
        return
    if name == "cifar10":
        raise DataError(
            "Expected a data set that is there. Got cifar10, which this version does not read yet. "
            "Store it as train.npz and test.npz (arrays images and labels) and give the folder."
        )
    _check_folder(name, Path(folder) / Path(name).expanduser())


def fingerprint(name: str, folder: Path | str = ".") -> str:
    """Return what tells the files of a data set from what they were before an edit; nothing for one with a name.

    Those with a name are the same images everywhere.
    """
    return "" if name in _NAMED else sources.sum_of_folder(Path(folder) / Path(name).expanduser())


def _check_folder(name: str, folder: Path) -> None:
    if not folder.is_dir():
        near = difflib.get_close_matches(name, _NAMED, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(_NAMED)}, or give a folder."
        raise DataError(f"Expected the name of a data set or a folder. Got {name!r}, which is neither. {hint}")
    if not sources.find_npz(folder) and not all(sources.find_idx(folder)):
        raise DataError(
            f"Expected {folder} to hold train.npz and test.npz, or the four IDX files "
            f"{', '.join(sources.IDX_FILES)} (or .gz). Got a folder without them. Put them there."
        )


def _raw(name: str, folder: Path) -> Raw:
    check_dataset(name, folder)
    if name in _NAMED:
        return _NAMED[name]()
    place = (folder / Path(name).expanduser()).resolve()
    return sources.from_folder(place, sources.sum_of_folder(place))


def _split(name: str, images: np.ndarray, labels: np.ndarray) -> Split:
    """Flatten, scale and check."""
    if images.ndim < 2 or labels.ndim != 1 or len(images) != len(labels) or images.size == 0:
        raise DataError(
            f"Expected {name} with one label an image. Got images of shape {images.shape} and labels of "
            f"shape {labels.shape}. Store arrays (n, ...) and (n,)."
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise DataError(
            f"Expected {name} with labels that are whole numbers from 0. Got {labels.dtype}, the least "
            f"{labels.min()}. Number the classes from 0."
        )
    pixels = torch.from_numpy(images.reshape(len(images), -1).astype(np.float32))
    pixels = pixels.div_(255) if images.dtype == np.uint8 else pixels
    if not (pixels.min() >= 0 and pixels.max() <= 1):  # also refuses NaN
        raise DataError(
            f"Expected {name} with unsigned bytes, or floats from 0 to 1. Got {images.dtype} from "
            f"{pixels.min():g} to {pixels.max():g}. Scale the pixels."
        )
    return Split(pixels, torch.from_numpy(labels.astype(np.int64)))


def _divide(name: str, there: int, train_images: int | None, validation_images: int) -> tuple[int, int]:
    """Return where validation starts, and how many images are learned from."""
    if validation_images < 0 or (train_images is not None and train_images < 1):
        raise DataError(
            f"Expected at least one training image and no negative number held out. Got "
            f"train_images={train_images}, validation_images={validation_images}. Give positive numbers."
        )
    left = there - validation_images
    if left < (train_images or 1):
        raise DataError(
            f"Expected at most the {there} training images of {name}. Got "
            f"train_images={train_images or 'all'} and validation_images={validation_images} besides. Ask "
            "for fewer: together they must fit."
        )
    return left, train_images or left


def _part(split: Split, which: slice, device: torch.device | str) -> Split:
    return Split(split.images[which].to(device), split.labels[which].to(device))
