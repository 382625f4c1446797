"""The folder of figures, with a list of drawn files."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from analogff.figures.drawing import Drawing
from analogff.support.atomic import replacing

LIST = "drawn.json"
"""File in the folder that lists drawn files with their checksums."""


class Drawn:
    """Figures of one call, each under a unique name.

    Args:
        folder: The folder.
        formats: Formats of the figures.
    """

    def __init__(self, folder: Path, formats: Sequence[str] = ("pdf", "png")):
        self.folder, self.formats = folder, formats
        self.files: list[Path] = []
        self._before = _read(folder / LIST)
        self._sums: dict[str, str] = {}
        self._names: set[str] = set()

    @classmethod
    @contextlib.contextmanager
    def into(cls, folder: Path, formats: Sequence[str] = ("pdf", "png"), *, keep: bool = False) -> Iterator["Drawn"]:
        """Hold the list of a folder, and remove figures at the end that only an earlier call drew, unless kept."""
        drawn = cls(folder, formats)
        try:
            yield drawn
            if not keep:
                drawn._remove_stale()
                drawn._before = {}
        finally:  # figures drawn before an interrupt are ours too
            drawn._write()

    def save(self, drawing: Drawing) -> None:
        """Write a figure, with a number after its name if the name is taken."""
        name, n = drawing.name, 1
        while name.casefold() in self._names:  # some disks ignore case
            n += 1
            name = f"{drawing.name}-{n}"
        self._names.add(name.casefold())
        for path in dataclasses.replace(drawing, name=name).save(self.folder, self.formats):
            self.files.append(path)
            self._sums[path.name] = _sum(path)

    def leave(self, drawing: Drawing) -> None:
        """Leave the files of an earlier call that show the numbers of a figure which is not drawn now."""
        numbers = self.folder / f"{drawing.name}.csv"
        if numbers.is_file() and numbers.read_text(encoding="utf-8") == drawing.table.to_csv(index=False):
            own = {name: digest for name, digest in self._before.items() if Path(name).stem == drawing.name}
            self._sums = own | self._sums

    def _remove_stale(self) -> None:
        """Remove earlier figures that are unchanged; edited ones belong to their editor."""
        for name in self._before.keys() - self._sums.keys():
            path = self.folder / name
            if path.is_file() and _sum(path) == self._before[name]:
                path.unlink()

    def _write(self) -> None:
        if self._sums or self._before:
            with replacing(self.folder / LIST) as temporary:
                temporary.write_text(json.dumps(self._before | self._sums, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, str]:
    """Return the list; an unreadable one counts as empty, so nothing is removed."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(listed, dict):
        return {}
    return {name: str(digest) for name, digest in listed.items() if Path(name).name == name}


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
