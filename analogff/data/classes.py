"""Classes: stored labels numbered from 0."""

from typing import NamedTuple

import numpy as np
import torch

from analogff.data.errors import DataError, shortened


class Classes(NamedTuple):
    """The labels of both parts as numbers, and their original values."""

    names: tuple[str, ...]
    """Original label of each class: numbers by size, texts in alphabetical order."""
    train: torch.Tensor
    """``(n,)`` int64."""
    test: torch.Tensor
    """``(n,)`` int64."""


class _Labels(NamedTuple):
    values: list[int] | list[str]
    places: np.ndarray
    counts: np.ndarray
    first: np.ndarray


def number_labels(name: str, train: np.ndarray, test: np.ndarray) -> Classes:
    """Number the labels of training images from 0. They may be any whole numbers, with gaps or negative, or texts.

    Raises:
        DataError: If labels are neither whole numbers nor texts, if there is one class only, or if a test label is not
        in training. Also if a label occurs on one training image and no test image, which is probably an error.
    """
    if {train.dtype.kind, test.dtype.kind} & set("US") and train.dtype.kind != test.dtype.kind:
        raise DataError(
            f"Expected {name} with labels of one kind. Got {train.dtype} in training and {test.dtype} in test images. "
            "Store both as texts, or both as whole numbers."
        )
    learned, shown = _labels(name, train), _labels(name, test)
    number: dict[int | str, int] = {value: n for n, value in enumerate(learned.values)}
    for value, count, first in zip(shown.values, shown.counts, shown.first, strict=True):
        if value not in number:
            raise DataError(
                f"Expected {name} with test labels that training images have. Got {shortened(value)} on {count} test "
                f"images and on no training image, first on number {first}. Correct it, or add such training images."
            )
    _refuse_slips(name, learned, set(shown.values))
    if len(number) < 2:
        raise DataError(
            f"Expected {name} with at least two classes. Got {shortened(learned.values[0])} on every image. Add images "
            "of another class."
        )
    numbers = np.array([number[value] for value in shown.values])
    return Classes(tuple(map(str, learned.values)), _tensor(learned.places), _tensor(numbers[shown.places]))


def _labels(name: str, labels: np.ndarray) -> _Labels:
    if labels.dtype.kind not in "biuUS":
        raise DataError(
            f"Expected {name} with labels that are whole numbers or texts. Got {labels.dtype}. Number or name the "
            "classes."
        )
    values, first, places, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    listed = values.tolist()
    if labels.dtype.kind == "S":
        listed = [value.decode("utf-8", "backslashreplace") for value in listed]
    return _Labels(listed, places.reshape(-1), counts, first)


def _refuse_slips(name: str, learned: _Labels, shown: set[int | str]) -> None:
    for value, count, first in zip(learned.values, learned.counts, learned.first, strict=True):
        if count == 1 and value not in shown:
            raise DataError(
                f"Expected {name} with labels that several images have. Got {shortened(value)} on one training image, "
                f"number {first}, and on no test image. Correct it, or leave that image out."
            )


def _tensor(numbers: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(numbers.astype(np.int64))
