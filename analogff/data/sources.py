"""Where data sets are found: known ones by name, else what a folder or a file holds."""

import abc
import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from analogff.data import raw
from analogff.data.choice import DataChoice, refuse_unused
from analogff.data.cifar10 import find_cifar10, find_cifar10_jpeg, read_cifar10, sum_of_cifar10
from analogff.data.errors import DataError, shortened
from analogff.data.mnist1d import mnist1d
from analogff.data.picture_files import holds_pictures, is_archive
from analogff.data.picture_set import read_pictures, sum_of_pictures
from analogff.data.raw import Raw
from analogff.data.resize import resized
from analogff.data.tables import read_tables, sum_of_tables, table_files
from analogff.support.messages import did_you_mean


class Source(abc.ABC):
    """A data set that was found but not read."""

    resizes_arrays: ClassVar[bool] = False
    """Whether `image_size` resizes arrays in memory, at each reading."""

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """Return what tells its content from another one; empty if that is known."""

    @abc.abstractmethod
    def read(self, choice: DataChoice) -> Raw:
        """Return its arrays.

        Raises:
            DataError: If they are damaged, or the choice sets what this data has no use for.
        """


@dataclasses.dataclass(frozen=True)
class _Arrays(Source):
    """Arrays that are read as a whole: known data sets, IDX and NPZ files."""

    resizes_arrays = True
    load: Callable[[], Raw]
    mark: Callable[[], str]

    @override
    def fingerprint(self):
        return self.mark()

    @override
    def read(self, choice):
        refuse_unused(choice, "which is no CSV table", "image_size", "gray")
        return resized(self.load(), choice)


@dataclasses.dataclass(frozen=True)
class _Pictures(Source):
    """Class-named images in a folder or an archive."""

    path: Path

    @override
    def fingerprint(self):
        return sum_of_pictures(self.path)

    @override
    def read(self, choice):
        refuse_unused(choice, "images", "image_size", "gray")
        return read_pictures(self.path, self.fingerprint(), choice.image_size, choice.gray)


@dataclasses.dataclass(frozen=True)
class _Tables(Source):
    """CSV files."""

    files: tuple[Path, ...]

    @override
    def fingerprint(self):
        return sum_of_tables(self.files)

    @override
    def read(self, choice):
        refuse_unused(choice, "a CSV table", "label_column")
        return read_tables(self.files, self.fingerprint(), choice.label_column)


def _known(load: Callable[[], Raw]) -> Source:
    return _Arrays(load, lambda: "")


def _fashion_mnist() -> Source:
    folder = raw.find_fashion_mnist()
    return _known(lambda: raw.fashion_mnist(folder))


def _cifar10() -> Source:
    place = find_cifar10()
    return _Arrays(lambda: read_cifar10(place), lambda: sum_of_cifar10(place))


_NAMED: Mapping[str, Callable[[], Source]] = {
    "mnist": lambda: _known(raw.mnist),
    "fashion-mnist": _fashion_mnist,
    "digits": lambda: _known(raw.digits),
    "mnist1d": lambda: _known(mnist1d),
    "cifar10": _cifar10,
    "cifar10-jpeg": lambda: _Pictures(find_cifar10_jpeg()),
}


def dataset_names() -> list[str]:
    """Return the names that `load_dataset` accepts besides folders and files."""
    return list(_NAMED)


def find_source(name: str, folder: Path) -> Source:
    """Return a data set without reading it.

    Args:
        name: One of `dataset_names`, a folder or a file.
        folder: Base of a relative path.

    Raises:
        DataError: If it is not there, or nothing that can be read.
    """
    if name in _NAMED:
        return _NAMED[name]()
    place = _place(name, folder)
    if os.path.isfile(place):
        return _file(place.resolve())
    if not os.path.isdir(place):  # pathlib would raise for names that no file system allows
        hint = did_you_mean(name, _NAMED, f"Choose one of {', '.join(_NAMED)}, or give the path of a folder or file.")
        got = f"{shortened(name)}, which is no name and not in {shortened(str(folder.absolute()))}"
        raise DataError(f"Expected the name of a data set, a folder or a file. Got {got}. {hint}")
    return _folder(place.resolve())


def _place(name: str, folder: Path) -> Path:
    try:
        return folder / Path(name).expanduser()
    except RuntimeError as error:  # a home folder that does not exist
        raise DataError(f"Expected a folder. Got {shortened(name)}: {error}. Write its whole path.") from None


def _file(path: Path) -> Source:
    if is_archive(path):
        return _Pictures(path)
    if path.suffix.lower() == ".csv":
        return _Tables((path,))
    raise DataError(
        f"Expected a CSV table (.csv) or an archive of class-named images (.tar, .tar.gz, .tar.xz). Got {path}. Give "
        "such a file, or a folder."
    )


def _folder(folder: Path) -> Source:
    if raw.find_npz(folder) or all(raw.find_idx(folder)):
        return _Arrays(lambda: raw.from_folder(folder, raw.sum_of_folder(folder)), lambda: raw.sum_of_folder(folder))
    if files := table_files(folder):
        return _Tables(files)
    if holds_pictures(folder):
        return _Pictures(folder)
    raise DataError(
        f"Expected {folder} to hold train and test (folders of class-named images, NPZ or CSV files), or the four IDX "
        f"files {', '.join(raw.IDX_FILES)} (or .gz). Got a folder without them. Put them there."
    )
