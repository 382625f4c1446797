"""Sources of raw images and labels: the package, scikit-learn, or a folder."""

import functools
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analogff.data.errors import DataError
from analogff.data.idx import parse_idx, read_bytes
from analogff.data.npz import read_npz
from analogff.support.fingerprints import sum_of_file

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
NPZ_FILES = ("train.npz", "test.npz")
_MNIST = Path(__file__).parent / "mnist"
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
# Checksums of the unpacked files of Xiao, Rasul, Vollgraf, Fashion-MNIST (arXiv 1708.07747).
_FASHION_SUMS = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


class Raw(NamedTuple):
    """Arrays as stored."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@functools.lru_cache(maxsize=4)
def mnist() -> Raw:
    """Return MNIST, which ships inside the package, with verified checksums."""
    lines = (_MNIST / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    return _read_idx(_MNIST, sums, "Reinstall analogff.")


@functools.lru_cache(maxsize=4)
def fashion_mnist(folder: Path) -> Raw:
    """Return Fashion-MNIST from a folder of its IDX files, with verified checksums."""
    return _read_idx(folder, _FASHION_SUMS, "Fetch it again.")


@functools.lru_cache(maxsize=1)
def digits() -> Raw:
    """Return scikit-learn's 8x8 digits, with a fixed fifth of each class as the test set."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    parts = map(np.asarray, train_test_split(images / 16, labels, test_size=0.2, stratify=labels, random_state=0))
    train_images, test_images, train_labels, test_labels = parts
    return Raw(train_images.reshape(-1, 8, 8), train_labels, test_images.reshape(-1, 8, 8), test_labels)


@functools.lru_cache(maxsize=4)
def from_folder(folder: Path, state: str) -> Raw:
    """Return the content of a folder: the four IDX files, or ``train.npz`` and ``test.npz``.

    Args:
        folder: The folder.
        state: Its `sum_of_folder`, so that edited files are read again.
    """
    if find_npz(folder):
        return Raw(*read_npz(folder / NPZ_FILES[0]), *read_npz(folder / NPZ_FILES[1]))
    return _read_idx(folder, {}, "Fetch it again.")


def sum_of_folder(folder: Path) -> str:
    """Return the checksum of the files that `from_folder` reads.

    Raises:
        DataError: If one of them cannot be read.
    """
    files = [folder / name for name in NPZ_FILES] if find_npz(folder) else find_idx(folder)
    try:
        return hashlib.sha256("".join(sum_of_file(file) for file in files if file).encode()).hexdigest()
    except OSError as error:
        raise DataError(
            f"Expected readable files in {folder}. Got {error.strerror} for {error.filename}. Make it readable."
        ) from None


def find_fashion_mnist() -> Path:
    """Return the folder that holds Fashion-MNIST.

    Raises:
        DataError: If there is none.
    """
    data = os.environ.get("ANALOGFF_DATA")
    places = ([Path(data) / "fashion-mnist"] if data else []) + [_DEBIAN]
    for place in places:
        if all(find_idx(place)):
            return place
    raise DataError(
        f"Expected fashion-mnist in {', '.join(map(str, places))}. Got no such IDX files. Install Debian's "
        "package dataset-fashion-mnist, or set ANALOGFF_DATA to a folder with a subfolder fashion-mnist "
        "that holds its four files (github.com/zalandoresearch/fashion-mnist)."
    )


def find_idx(folder: Path) -> list[Path | None]:
    """Return the path of each of the four IDX files, packed or not; None for a missing one."""
    return [next((p for p in (folder / f"{name}.gz", folder / name) if os.path.isfile(p)), None) for name in IDX_FILES]


def find_npz(folder: Path) -> bool:
    """Return whether a folder holds the two NPZ files."""
    return all(os.path.isfile(folder / name) for name in NPZ_FILES)


def _read_idx(folder: Path, sums: Mapping[str, str], remedy: str) -> Raw:
    """Read the four files, and verify known checksums."""
    arrays = []
    for name, path in zip(IDX_FILES, find_idx(folder), strict=True):
        if path is None:
            raise DataError(f"Expected {name}.gz in {folder}. Got no such file. {remedy}")
        dimensions = 3 if "images" in name else 1
        content = read_bytes(path, dimensions)
        if name in sums and hashlib.sha256(content).hexdigest() != sums[name]:
            raise DataError(f"Expected {path} with the published sum. Got another content: it is damaged. {remedy}")
        arrays.append(parse_idx(content, path, dimensions))
    return Raw(*arrays)
