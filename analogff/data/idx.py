"""The IDX format of MNIST and similar data sets."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from analogff.data.errors import DataError

_UNSIGNED_BYTE = 8
_MOST_PACKED = 1032  # greatest compression ratio of a deflated stream


def read_bytes(path: Path, dimensions: int) -> bytes:
    """Return an IDX file's content, unpacked if its name ends in ``.gz``, up to one byte past the length of its header.

    Raises:
        DataError: If it cannot be read or unpacked.
    """
    try:
        most = _MOST_PACKED * path.stat().st_size
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(_header_bytes(dimensions))
            shape = _shape(header, dimensions) or ()
            return header + file.read(min(math.prod(shape) + 1, most))
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(f"Expected a readable file at {path}. Got {error}. Fetch it again.") from None


def parse_idx(content: bytes, path: Path, dimensions: int) -> np.ndarray:
    """Return the array of unsigned bytes in an IDX file.

    Args:
        content: The unpacked file.
        path: Its path, for messages.
        dimensions: How many the array has: 3 for images, 1 for labels.

    Raises:
        DataError: If it is no IDX file of unsigned bytes, or its dimensions or length differ.

    Reference:
        LeCun, Cortes, Burges, The MNIST database, section "The IDX file format".
    """
    shape = _shape(content, dimensions)
    if shape is None:
        found = f"{len(content)} bytes" if len(content) < _header_bytes(dimensions) else "a file"
        raise DataError(
            f"Expected {path} to be an IDX file of unsigned bytes in {dimensions} dimensions, which starts "
            f"with {_magic(dimensions).hex()}. Got {found} that starts with {content[:4].hex() or 'nothing'}. Check "
            "the file's name and source."
        )
    there = len(content) - _header_bytes(dimensions)
    if there != math.prod(shape):
        raise DataError(
            f"Expected {math.prod(shape)} values in {path}, as its header {shape} says. Got "
            f"{there if there < math.prod(shape) else 'more'}. The file is cut off or padded: fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=_header_bytes(dimensions)).reshape(shape)


def _header_bytes(dimensions: int) -> int:
    return 4 + 4 * dimensions


def _magic(dimensions: int) -> bytes:
    return bytes([0, 0, _UNSIGNED_BYTE, dimensions])


def _shape(content: bytes, dimensions: int) -> tuple[int, ...] | None:
    """Return the shape in a header; None if the header is not that of such a file."""
    header = content[: _header_bytes(dimensions)]
    if len(header) < _header_bytes(dimensions) or not header.startswith(_magic(dimensions)):
        return None
    return struct.unpack(f">{dimensions}I", header[4:])
