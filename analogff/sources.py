"""What tells code from what it was before an edit."""

import functools
import hashlib
import importlib.util
from pathlib import Path

_FIGURES = "analogff/figures/"


def sum_of_file(path: Path) -> str:
    """Return the sum of what is in a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache  # what runs is what was imported first; and a large study asks thousands of times
def sum_of_package(module: str) -> str:
    """Return the sum of the names and contents of all Python files in the package that a module is part of.

    A class is what it is by all that it uses, so the file it stands in is not enough. What analogff draws figures with
    is left out: it decides no number, and who changes it keeps all results.

    Args:
        module: Its full name; of a module without a package its own file counts.
    """
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None:
        return ""
    if spec.submodule_search_locations is None:
        return sum_of_file(Path(spec.origin)) if spec.origin and spec.has_location else ""
    folders = [Path(folder) for folder in spec.submodule_search_locations]
    files = {
        f"{folder.name}/{file.relative_to(folder).as_posix()}": file
        for folder in folders
        for file in folder.rglob("*.py")
    }
    parts = [f"{name} {sum_of_file(file)}" for name, file in sorted(files.items()) if not name.startswith(_FIGURES)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
