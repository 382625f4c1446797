"""``analogff compare``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import ArgumentError, Command, argument
from analogff.cli.boundary import OK

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


@dataclass(frozen=True)
class Compare(Command):
    """Compare rules pairwise on the same chips: difference, interval and p."""

    folders: Annotated[tyro.conf.Positional[tuple[Path, ...]], argument("DIR ...")]
    """Folders of results. Rules of several folders are compared on equal chips at equal points."""

    def perform(self, console: "Console") -> int:
        """Load the results and print a row for each pair and swept point."""
        from analogff.cli.output import mistaken
        from analogff.study.results.comparison import compare
        from analogff.study.results.report import print_pairs

        try:
            if not self.folders:
                raise ArgumentError("Expected at least one folder that a run wrote. Got none. Give its path.")
            last, axes = _together(self.folders)
        except (ValueError, ArgumentError) as error:  # no results, damaged ones, or no manifest
            return mistaken(error)
        print_pairs(compare(last, axes), axes, console)
        return OK


def _names(folders: tuple[Path, ...]) -> list[str]:
    """Return the last parts of some paths, as many as tell them apart.

    Raises:
        ArgumentError: If one is given twice.
    """
    parts = [folder.resolve().parts for folder in folders]
    if twice := [folder for n, folder in enumerate(folders) if parts[n] in parts[:n]]:
        raise ArgumentError(f"Expected different folders. Got {twice[0]} twice. Give it once.")
    length = next(n for n in range(1, max(map(len, parts)) + 1) if len({p[-n:] for p in parts}) == len(parts))
    return ["/".join(p[-length:]).replace("//", "/") for p in parts]


def _together(folders: tuple[Path, ...]) -> "tuple[pd.DataFrame, list[str]]":
    """Return the last epochs of all folders, and the swept paths of any; labels name the folder where several do."""
    import pandas as pd

    from analogff.study.measurements.life import EVENTS
    from analogff.study.results.comparison import labeled
    from analogff.study.results.lives import at_end_of_life
    from analogff.study.results.manifest import read_manifest
    from analogff.study.results.store import load_measurement, load_results

    parts = []
    for folder in folders:
        frame, manifest = load_results(folder), read_manifest(folder)
        parts.append(labeled(at_end_of_life(frame, manifest, load_measurement(folder, EVENTS.name)), manifest))
    axes = list(dict.fromkeys(axis for _, own in parts for axis in own))
    frames = [frame for frame, _ in parts]
    if len(folders) > 1:
        frames = [
            f.assign(variant=f["variant"] + f" in {name}") for f, name in zip(frames, _names(folders), strict=True)
        ]
    return pd.concat(frames, ignore_index=True), axes
