"""Fingerprints of source files."""

import hashlib
import importlib.util
import sys
from collections.abc import Collection, Iterable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from analogff.support.canonical import Source, read_source

_FIGURES = "analogff/figures/"
_ENGINE = "analogff"


def sum_of_file(path: Path) -> str:
    """Return the checksum of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sum_of_script(path: Path, packages: Collection[str]) -> str:
    """Return the checksum of a Python file and its imports from its folder, without comments and docstrings.

    Args:
        path: The file.
        packages: Names of installed packages whose code decides numbers; for others the version is trusted.
    """
    files = files_of_script(path, packages)
    parts = [f"{file.relative_to(path.parent).as_posix()} {_read(file).sum}" for file in files]
    imported = {name for file in files for name in _read(file).imports} & {*packages} - {_ENGINE}
    return _joined(parts + [sum_of_package(name, packages) for name in sorted(imported)])


def files_of_script(path: Path, packages: Collection[str]) -> list[Path]:
    """Return a Python file and the files beside it that it imports, directly or indirectly."""
    found: dict[Path, None] = {}
    left = [path]
    while left:
        file = left.pop()
        if file not in found:
            found[file] = None
            left += [near for name in _read(file).imports - {*packages} for near in _beside(path.parent, name)]
    return [path, *sorted(found.keys() - {path})]


def sum_of_package(module: str, packages: Collection[str] = ()) -> str:
    """Return the checksum of a module's package and of the packages that it imports.

    A class depends on all that it uses, so its file alone is not enough. The code of figures is excluded: it decides no
    number, so its edits keep all results.

    Args:
        module: Its full name. For a module without a package its file counts.
        packages: Names of installed packages whose code decides numbers.
    """
    reached: set[str] = set()
    left = {module.partition(".")[0]}
    while left:
        reached |= left
        left = {name for package in left for name in _first_sight(package).imports} & {*packages} - reached - {_ENGINE}
    sums = [_first_sight(name).sum for name in sorted(reached)]
    return sums[0] if len(sums) == 1 else _joined(sums)


def loaded_after_an_edit() -> list[Path]:
    """Return the files of modules that were loaded after an edit not contained in their package's checksum.

    The checksum is computed once a process, since the first imports run. But many modules are imported later.
    """
    return [file for package in list(_seen.values()) for file in package.loaded_after_an_edit()]


class _Package:
    """The source of a package at its first use in this process."""

    def __init__(self, name: str):
        self.name = name
        self._sums = {key: (file, _read(file).sum) for key, file in sorted(_files_of_package(name).items())}
        self.imports = {found for file, _ in self._sums.values() for found in _read(file).imports} - {name}
        self.sum = _joined(f"{key} {digest}" for key, (_, digest) in self._sums.items())
        self._trusted = self._loaded()

    def loaded_after_an_edit(self) -> list[Path]:
        """Return the files of modules that were loaded since and have changed."""
        new = self._loaded() - self._trusted
        wrong = [file for file, digest in self._sums.values() if file in new and _read(file).sum != digest]
        self._trusted |= new - {*wrong}
        return wrong

    def _loaded(self) -> set[Path]:
        modules = [m for name, m in list(sys.modules.items()) if name.partition(".")[0] == self.name]
        return {Path(file) for m in modules if (file := getattr(m, "__file__", None))}


_seen: dict[str, _Package] = {}


def _first_sight(package: str) -> _Package:
    if package not in _seen:
        _seen[package] = _Package(package)
    return _seen[package]


def _files_of_package(name: str) -> dict[str, Path]:
    spec = importlib.util.find_spec(name)
    if spec is None:
        return {}
    if spec.submodule_search_locations is None:
        return {Path(spec.origin).name: Path(spec.origin)} if spec.origin and spec.has_location else {}
    folders = [Path(folder) for folder in spec.submodule_search_locations]
    files = {
        f"{folder.name}/{file.relative_to(folder).as_posix()}": file
        for folder in folders
        for suffix in (".py", *EXTENSION_SUFFIXES)
        for file in folder.rglob(f"*{suffix}")
    }
    return {key: file for key, file in files.items() if not key.startswith(_FIGURES)}


def _beside(folder: Path, name: str) -> list[Path]:
    """Return the files of a module in a folder, unless an earlier path provides it."""
    if name in sys.stdlib_module_names or not ((folder / f"{name}.py").is_file() or (folder / name).is_dir()):
        return []
    specs = (finder.find_spec(name, None) for finder in sys.meta_path)
    spec = next((spec for spec in specs if spec), None)
    if spec and spec.origin and not Path(spec.origin).is_relative_to(folder):
        return []
    return [folder / f"{name}.py"] if (folder / f"{name}.py").is_file() else sorted((folder / name).rglob("*.py"))


def _read(file: Path) -> Source:
    content = file.read_bytes()
    return read_source(content) if file.suffix == ".py" else Source(hashlib.sha256(content).hexdigest(), frozenset())


def _joined(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
