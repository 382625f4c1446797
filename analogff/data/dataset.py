"""Data sets by name: images and labels as tensors, with a separate test set."""

import dataclasses
from pathlib import Path

import numpy as np
import torch

from analogff.data.choice import DataChoice
from analogff.data.classes import Classes, number_labels
from analogff.data.errors import DataError, shortened
from analogff.data.image_shape import ImageShape, image_shape
from analogff.data.pixels import Scale, input_lines
from analogff.data.raw import Raw
from analogff.data.resize import no_pictures
from analogff.data.sources import find_source

MOST_HELD_OUT = 2000
"""Default number of validation images; a tenth of small data sets."""


@dataclasses.dataclass(frozen=True)
class Split:
    """Images, ``(n, n_in)`` float32 in [0, 1], and their labels, ``(n,)`` int64; of a student also soft ones."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set in three parts. The last is never used for a choice."""

    name: str
    """Name in the study file."""
    train: Split
    """Training images."""
    validation: Split
    """Images held out of the training images, for model selection; may be empty."""
    test: Split
    """Test images, always all."""
    n_in: int
    """Input lines of an image."""
    classes: int
    """Number of labels, which run from 0."""
    image: ImageShape | None = None
    """Channels, height and width of an image; None for a table."""
    label_names: tuple[str, ...] = ()
    """Original labels, from label 0 on."""
    unlabeled: torch.Tensor | None = None
    """Images that are neither trained on nor held out, without their labels, ``(n, n_in)``; None if not loaded."""


def load_dataset(
    name: str,
    *,
    train_images: int | None = None,
    validation_images: int | None = 0,
    scale: Scale = "auto",
    image_size: int | tuple[int, int] | None = None,
    gray: bool = False,
    label_column: str | None = None,
    folder: Path | str = ".",
    device: torch.device | str = "cpu",
) -> Dataset:
    """Load a data set by name, from a folder of images, IDX, NPZ or CSV files, from a tar archive or a CSV file.

    The validation images are always the last of the training images. So studies with different numbers of training
    images share them.

    Args:
        name: One of `dataset_names`, a folder or a file.
        train_images: Number of training images, taken from the front; None for all except validation.
        validation_images: Number to hold out; None for the least of `MOST_HELD_OUT`, a tenth, and the number that
            ``train_images`` leaves.
        scale: The stored number that becomes 1, ``"auto"`` or ``"columns"``; see `input_lines`.
        image_size: Side, or height and width, to which images are resized; None to leave them.
        gray: Whether colors become gray.
        label_column: Column of a CSV table that holds the labels; None for the last one.
        folder: Base of a relative path.
        device: Device of the tensors.

    Raises:
        DataError: If the data is missing, damaged or unusable, or has fewer images than requested.
    """
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    raw = find_source(name, Path(folder)).read(DataChoice(name, scale, size, gray, label_column))
    image = _checked_shape(name, raw)
    classes = number_labels(name, raw.train_labels, raw.test_labels)
    first_held_out, count = _divide(name, len(raw.train_labels), train_images, validation_images)
    _refuse_one_class(name, classes, count, "train_images" if train_images else "dataset")
    train, test = input_lines(name, raw.train_images, raw.test_images, scale, slice(0, count))
    return Dataset(
        name=name,
        train=_part(train, classes.train, slice(0, count), device),
        validation=_part(train, classes.train, slice(first_held_out, None), device),
        test=_part(test, classes.test, slice(None), device),
        n_in=train.shape[1],
        classes=len(classes.names),
        image=image,
        label_names=classes.names,
        unlabeled=train[count:first_held_out],
    )


def look_at_dataset(
    choice: DataChoice, train_images: int | None, validation_images: int | None, folder: Path | str = "."
) -> Dataset:
    """Return what `load_dataset` would, with the sizes that are chosen, but without the work of resizing stored arrays.

    The images of such arrays have the size that they are stored in; all that is refused of them is refused here too.

    Raises:
        DataError: As `load_dataset`.
    """
    later = choice.image_size if find_source(choice.name, Path(folder)).resizes_arrays else None
    chosen = choice if later is None else choice._replace(image_size=None)
    data = load_dataset(
        **chosen._asdict(), train_images=train_images, validation_images=validation_images, folder=folder
    )
    if later is None:
        return data
    if data.image is None:
        raise no_pictures(choice, tuple(data.train.images.shape))
    image = data.image._replace(height=later[0], width=later[1])
    return dataclasses.replace(data, image=image, n_in=image.n_in)


def check_dataset(name: str, folder: Path | str = ".") -> None:
    """Raise a `DataError` if `load_dataset` would not find the data, without reading it."""
    find_source(name, Path(folder))


def fingerprint(name: str, folder: Path | str = ".") -> str:
    """Return the checksum of a data set's files; empty for a named one whose images are the same everywhere."""
    return find_source(name, Path(folder)).fingerprint()


def _checked_shape(name: str, raw: Raw) -> ImageShape | None:
    """Return how images are pictures, if training and test images are alike and each has a label."""
    _refuse_unpaired(name, "training", raw.train_images, raw.train_labels)
    _refuse_unpaired(name, "test", raw.test_images, raw.test_labels)
    image = image_shape(name, raw.train_images)
    if raw.test_images.shape[1:] != raw.train_images.shape[1:]:
        raise DataError(
            f"Expected {name} with images of one size. Got {raw.train_images.shape[1:]} in training and "
            f"{raw.test_images.shape[1:]} in test images. Store both with the same size."
        )
    return image


def _refuse_one_class(name: str, classes: Classes, count: int, field: str) -> None:
    if len(classes.train[:count].unique()) < 2:
        raise DataError(
            f"Expected training images of at least two classes. Got {shortened(classes.names[classes.train[0]])} on "
            f"all of the first {count} of {name}. Take more, or shuffle the file.",
            field,
        )


def _refuse_unpaired(name: str, part: str, images: np.ndarray, labels: np.ndarray) -> None:
    if labels.ndim == 2:
        advice = "Store labels.argmax(1)." if labels.shape[1] > 1 else "Store labels.ravel()."
    else:
        advice = "Store arrays (n, ...) and (n,)."
    if images.ndim < 2 or labels.ndim != 1 or len(images) != len(labels) or images.size == 0:
        raise DataError(
            f"Expected {name} with one label a {part} image. Got images of shape {images.shape} and labels of shape "
            f"{labels.shape}. {advice}"
        )


def _divide(name: str, there: int, train_images: int | None, validation_images: int | None) -> tuple[int, int]:
    """Return the start of the validation images and the number of training images."""
    if (validation_images or 0) < 0 or (train_images is not None and train_images < 1):
        raise DataError(
            f"Expected at least one training image and no negative number held out. Got "
            f"train_images={train_images}, validation_images={validation_images}. Give positive numbers.",
            "validation_images" if (validation_images or 0) < 0 else "train_images",
        )
    if validation_images is None:
        validation_images = max(0, min(MOST_HELD_OUT, there // 10, there - (train_images or 1)))
    left = there - validation_images
    if left < (train_images or 1):
        raise DataError(
            f"Expected at most the {there} training images of {name}. Got "
            f"train_images={train_images or 'all'} and validation_images={validation_images} besides. Ask "
            "for fewer: together they must fit.",
            "train_images" if train_images else "validation_images",
        )
    return left, train_images or left


def _part(lines: torch.Tensor, labels: torch.Tensor, which: slice, device: torch.device | str) -> Split:
    return Split(lines[which].to(device), labels[which].to(device))
