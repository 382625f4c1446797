"""NPZ files of images and labels, read safely: no code, bounded memory, checked content."""

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from analogff.data.errors import DataError, shortened

_MOST_PACKED = 1032  # greatest compression ratio of a deflated stream
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return ``images`` and ``labels`` of an NPZ file.

    Raises:
        DataError: If it is damaged or holds something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _member(archive, "images", path), _member(archive, "labels", path)
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many exceptions on damaged bytes
        said = f"{type(error).__name__}: {shortened(error.args[0] if error.args else None)}"
        raise DataError(
            f"Expected {path} to hold two arrays, images and labels. Got a file that cannot be read so ({said}). "
            "Write it with numpy.savez(path, images=..., labels=...)."
        ) from None


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    """Return an array after a check of its header, since the header decides the allocated memory."""
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > _MOST_PACKED * (path.stat().st_size + 1):
        raise ValueError(f"{info.file_size} bytes of {name} in a file of {path.stat().st_size}")
    with archive.open(info) as member:
        shape, dtype = _header(member)
        claimed, there = math.prod(shape) * dtype.itemsize, info.file_size - member.tell()
    if dtype.hasobject or dtype.itemsize == 0 or dtype.names or dtype.subdtype:
        raise DataError(f"Expected {path} with {name} that are numbers or texts. Got {dtype}. Convert the array.")
    if claimed != there:
        raise DataError(
            f"Expected {claimed} bytes of {name} in {path}, as the header {shortened(shape)} says. Got {there}. The "
            "file is damaged: write it again."
        )
    with archive.open(info) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(member)
    if version not in _HEADERS:
        raise ValueError(f"format {version} of NPY, of named fields")
    shape, _, dtype = _HEADERS[version](member)
    return shape, dtype
