"""CIFAR-10, from its binary version: no pickle is loaded, since a pickle may run code."""

import hashlib
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analogff.data.errors import DataError, shortened
from analogff.data.raw import Raw
from analogff.support.fingerprints import sum_of_file

ARCHIVE = "cifar-10-binary.tar.gz"
JPEG_ARCHIVE = "cifar10-jpeg.tar.xz"
FOLDER = "cifar-10-batches-bin"
FILES = (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin")
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SUM = "c32a1d4ab5d03f1284b67883e8d87530"  # MD5, as published beside the file
_RECORDS = 10_000
_RECORD_BYTES = 1 + 3 * 32 * 32


def find_cifar10() -> Path:
    """Return the archive of the binary version, or the folder of its six files.

    Raises:
        DataError: If there is neither.
    """
    places = _places("cifar10")
    for place in places:
        if (place / ARCHIVE).is_file():
            return place / ARCHIVE
        for folder in (place, place / FOLDER):
            if all((folder / name).is_file() for name in FILES):
                return folder
    pickles = any(list(place.glob("cifar-10-python.tar.gz")) for place in places)
    got = "the Python version, whose pickles may run code when loaded" if pickles else "no such file"
    raise DataError(
        f"Expected {ARCHIVE} in {_listed(places)}. Got {got}. Put the binary version (cs.toronto.edu/~kriz/cifar.html)"
        f" there{_or_jpeg()}."
    )


def find_cifar10_jpeg() -> Path:
    """Return the archive of CIFAR-10 in JPEG files.

    Raises:
        DataError: If there is none.
    """
    places = _places("cifar10-jpeg")
    for place in places:
        if (place / JPEG_ARCHIVE).is_file():
            return place / JPEG_ARCHIVE
    raise DataError(
        f"Expected {JPEG_ARCHIVE} in {_listed(places)}. Got no such file. Archive train/CLASS/*.jpg and "
        'test/CLASS/*.jpg there, or write dataset = "cifar10" for the binary version.'
    )


def sum_of_cifar10(place: Path) -> str:
    """Return the checksum of the six files; empty for the archive, whose content is known."""
    if place.is_file():
        return ""
    return hashlib.sha256("".join(sum_of_file(place / name) for name in FILES).encode()).hexdigest()


def read_cifar10(place: Path) -> Raw:
    """Return CIFAR-10, images ``(n, 3, 32, 32)`` in bytes and labels as texts.

    Args:
        place: As `find_cifar10` returns it.

    Raises:
        DataError: If it is damaged.

    Reference:
        Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009); each record is a label and 32 x 32
        bytes of red, green and blue, row by row.
    """
    contents = _unpacked(place) if place.is_file() else _of_folder(place)
    batches = [_batch(place / name, contents[name]) for name in FILES]
    train = np.concatenate(batches[:5])
    parts = [(part[:, 1:].reshape(-1, 3, 32, 32), np.array(CLASSES)[part[:, 0]]) for part in (train, batches[5])]
    return Raw(*parts[0], *parts[1])


def _of_folder(folder: Path) -> Mapping[str, bytes]:
    try:
        return {name: (folder / name).read_bytes() for name in FILES}
    except OSError as error:
        raise DataError(f"Expected readable files in {folder}. Got {error.strerror}. Make them readable.") from None


def _unpacked(archive: Path) -> Mapping[str, bytes]:
    """Return the six files of the archive, which is never extracted."""
    try:
        with archive.open("rb") as file:
            if hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() != _SUM:
                raise DataError(
                    f"Expected {archive} with the published sum, MD5 {_SUM}. Got another content: it is damaged. Fetch "
                    "it again."
                )
        with tarfile.open(archive, "r|gz") as members:
            files = ((member, Path(member.name).name) for member in members if member.isreg())
            return {name: members.extractfile(member).read() for member, name in files if name in FILES}  # type: ignore[union-attr]
    except DataError:
        raise
    except Exception as error:  # tarfile and zlib raise many exceptions
        said = f"{type(error).__name__}: {shortened(str(error))}"
        raise DataError(f"Expected a readable archive {archive}. Got {said}. Fetch it again.") from None


def _batch(file: Path, content: bytes) -> np.ndarray:
    """Return the records of a file, ``(10000, 3073)``."""
    if len(content) != _RECORDS * _RECORD_BYTES:
        raise DataError(
            f"Expected {_RECORDS * _RECORD_BYTES:,} bytes in {file}. Got {len(content):,}. It is cut off: fetch it "
            "again."
        )
    records = np.frombuffer(content, np.uint8).reshape(_RECORDS, _RECORD_BYTES)
    if (most := records[:, 0].max()) >= len(CLASSES):
        raise DataError(f"Expected labels up to 9 in {file}. Got {most}. It is damaged: fetch it again.")
    return records


def _places(folder: str) -> list[Path]:
    data = os.environ.get("ANALOGFF_DATA")
    return [Path(data) / folder, Path(data)] if data else []


def _listed(places: list[Path]) -> str:
    return " or ".join(map(str, places)) or "the folder that ANALOGFF_DATA names, which is not set"


def _or_jpeg() -> str:
    there = any((place / JPEG_ARCHIVE).is_file() for place in _places("cifar10-jpeg"))
    return ', or write dataset = "cifar10-jpeg" for the JPEG copy that is there' if there else ""
