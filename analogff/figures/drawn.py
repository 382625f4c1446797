"""The folder of figures: what was drawn there, told from what others keep there."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from analogff.figures.drawing import Drawing
from analogff.support.atomic import replacing

LIST = "drawn.json"
"""Of the folder: the files that were drawn, each with the sum of what is in it."""


class Drawn:
    """Figures of one call, each under a name of its own.

    Args:
        folder: Where.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: list[Path] = []
        self._before = _read(folder / LIST)
        self._sums: dict[str, str] = {}
        self._names: set[str] = set()

    @classmethod
    @contextlib.contextmanager
    def into(cls, folder: Path) -> Iterator["Drawn"]:
        """Hold the list of a folder; what an earlier call drew and this one does not is removed at the end."""
        drawn = cls(folder)
        try:
            yield drawn
            drawn._remove_stale()
            drawn._before = {}
        finally:  # what was drawn until an interrupt is ours as well
            drawn._write()

    def save(self, drawing: Drawing) -> None:
        """Write a figure, with a number behind its name where another one has it."""
        name, n = drawing.name, 1
        while name.casefold() in self._names:  # on some disks, capitals make no other name
            n += 1
            name = f"{drawing.name}-{n}"
        self._names.add(name.casefold())
        for path in dataclasses.replace(drawing, name=name).save(self.folder):
            self.files.append(path)
            self._sums[path.name] = _sum(path)

    def _remove_stale(self) -> None:
        """Remove earlier figures as they were drawn; one that was edited since belongs to who did so."""
        for name in self._before.keys() - self._sums.keys():
            path = self.folder / name
            if path.is_file() and _sum(path) == self._before[name]:
                path.unlink()

    def _write(self) -> None:
        if self._sums or self._before:
            with replacing(self.folder / LIST) as temporary:
                temporary.write_text(json.dumps(self._before | self._sums, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, str]:
    """Return the list; an unreadable one says of nothing that it was drawn, so that nothing is removed."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(listed, dict):
        return {}
    return {name: str(digest) for name, digest in listed.items() if Path(name).name == name}


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
