"""The IDX format, in which MNIST and its relatives come."""

import gzip
import math
import struct
from pathlib import Path

import numpy as np

from analogff.data.errors import DataError

_UNSIGNED_BYTE = 8


def read_bytes(path: Path) -> bytes:
    """Return a file's content, unpacked if its name ends in ``.gz``.

    Raises:
        DataError: If it cannot be read or unpacked.
    """
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise DataError(f"Expected a readable file at {path}. Got {error}. Fetch it again.") from None


def parse_idx(content: bytes, path: Path, dimensions: int) -> np.ndarray:
    """Return the array of unsigned bytes in an IDX file.

    Args:
        content: The unpacked file.
        path: Where it came from, for messages.
        dimensions: How many the array has: 3 for images, 1 for labels.

    Raises:
        DataError: If it is no IDX file of unsigned bytes, has other dimensions, or another length.

    Reference:
        LeCun, Cortes, Burges, The MNIST database, section "The IDX file format".
    """
    header = 4 + 4 * dimensions
    magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if len(content) < header or content[:4] != magic:
        raise DataError(
            f"Expected {path} to be an IDX file of unsigned bytes in {dimensions} dimensions, which starts "
            f"with {magic.hex()}. Got {len(content)} bytes that start with {content[:4].hex()}. Check the "
            "file's name and source."
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise DataError(
            f"Expected {math.prod(shape)} values in {path}, as its header {shape} says. Got "
            f"{len(content) - header}. The file is cut off or padded: fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
