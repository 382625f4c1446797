"""Scaling of stored numbers to input lines in [0, 1]."""

from typing import Literal

import numpy as np
import torch

from analogff.data.errors import DataError
from analogff.data.features import Range
from analogff.data.image_shape import flattened

Scale = float | Literal["auto", "columns"]
LEAST_SCALE, MOST_SCALE = 1e-30, 1e30  # quotients by these fit in float32
_BYTE = 255
_HALF_A_BYTE = 127  # images in bytes exceed it; those of 2 or 17 gray levels do not
_DARK = 1 / 128  # floats divided by 255 twice end below


def input_lines(
    name: str, train: np.ndarray, test: np.ndarray, scale: Scale, learned: slice
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return training and test images as input signals, each ``(n, n_in)`` float32 in [0, 1].

    Args:
        name: Name of the data set.
        train: Stored training images.
        test: Stored test images.
        scale: The stored number that becomes 1; ``auto``: inferred from the range if it is clear; ``columns``: each
        column of a table drives two lines, see `Range`.
        learned: Training images without the held-out ones; they decide the range of a column.

    Raises:
        DataError: If numbers are not finite, negative, above the scale, all equal, or of unclear scale.
    """
    ends = [_ends(name, part, images) for part, images in (("training", train), ("test", test))]
    if scale == "columns":
        return _columns(name, train, test, learned)
    low, high = min(low for low, _ in ends), ends[0][1]
    if low < 0:
        raise _negative(name, low, train.ndim == 2)
    if ends[0][0] == high:
        raise DataError(f"Expected {name} with images that differ. Got {high:g} everywhere. Check the array.")
    one = _clear_scale(name, train.dtype, high, train.ndim == 2) if scale == "auto" else float(scale)
    if not LEAST_SCALE <= one <= MOST_SCALE:
        raise DataError(
            f"Expected a scale from {LEAST_SCALE:g} to {MOST_SCALE:g}. Got {one:g}. Write the number that is a full "
            "pixel.",
            "scale",
        )
    most = max(high, ends[1][1])
    if most > one:
        raise DataError(
            f"Expected {name} with numbers up to its scale, {one:g}. Got some up to {most:g}. Write scale = {most}, "
            "or correct them.",
            "scale",
        )
    return _tensor(flattened(train), one), _tensor(flattened(test), one)


def _ends(name: str, part: str, images: np.ndarray) -> tuple[float, float]:
    """Return the least and the greatest number."""
    if images.dtype.kind not in "biuf":
        raise DataError(f"Expected {name} with {part} images of real numbers. Got {images.dtype}. Store numbers.")
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(
            f"Expected {name} with {part} images of finite numbers. Got {low:g} to {high:g}. Replace what is missing."
        )
    return low, high


def _clear_scale(name: str, dtype: np.dtype, high: float, table: bool) -> float:
    """Return 255 for images in bytes, and 1 for bits and for floats up to 1.

    Raises:
        DataError: If the scale is not clear.
    """
    if dtype.kind == "f":
        clear = 1.0 if _DARK < high <= 1 else None
    else:
        clear = 1.0 if high <= 1 else float(_BYTE) if _HALF_A_BYTE < high <= _BYTE else None
    if clear is None:
        advice = f"Write scale = {high}, or whatever number is a full pixel."
        if table:
            advice = f'Write scale = "columns", which takes any range, or scale = {high}.'
        raise DataError(
            f"Expected {name} with a clear scale: bytes up to 255, bits, or floats up to 1. Got {dtype} up to "
            f"{high:g}. {advice}",
            "scale",
        )
    return clear


def _negative(name: str, low: float, table: bool) -> DataError:
    advice = (
        'Write scale = "columns", which takes any range, and labels = "lines" for a rule that writes them over pixels.'
        if table
        else "Store them from 0 on, without taking their mean away."
    )
    return DataError(f"Expected {name} with numbers from 0. Got some down to {low:g}. {advice}", "scale")


def _columns(name: str, train: np.ndarray, test: np.ndarray, learned: slice) -> tuple[torch.Tensor, torch.Tensor]:
    if train.ndim != 2:
        raise DataError(
            f'Expected a table (n, columns) beside scale = "columns". Got {train.shape} in {name}. Write a number, or '
            "leave scale out.",
            "scale",
        )
    span = Range.of(train[learned].astype(np.float64))
    if np.isinf(span.half).all():
        raise DataError(f"Expected {name} with a column that differs in training. Got none. Check the array.")
    return _tensor(span.lines(train.astype(np.float64))), _tensor(span.lines(test.astype(np.float64)))


def _tensor(lines: np.ndarray, one: float = 1.0) -> torch.Tensor:
    pixels = torch.from_numpy(lines.astype(np.float32))
    return pixels if one == 1 else pixels.div_(one)
