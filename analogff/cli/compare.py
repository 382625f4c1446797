"""``analogff compare``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import ArgumentError, Command
from analogff.cli.boundary import OK

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


@dataclass(frozen=True)
class Compare(Command):
    """Compare rules pairwise over common chips: which is better, by how much, and whether it is resolved."""

    folders: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="DIR")]
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


def _together(folders: tuple[Path, ...]) -> "tuple[pd.DataFrame, list[str]]":
    """Return the last epochs of all folders, and the swept paths of any; labels name the folder where several do."""
    import pandas as pd

    from analogff.study.results.comparison import labeled
    from analogff.study.results.manifest import read_manifest
    from analogff.study.results.store import load_results

    parts = [labeled(load_results(folder), read_manifest(folder)) for folder in folders]
    axes = list(dict.fromkeys(axis for _, own in parts for axis in own))
    frames = [frame for frame, _ in parts]
    if len(folders) > 1:
        frames = [
            f.assign(variant=f["variant"] + f" in {folder.name}") for f, folder in zip(frames, folders, strict=True)
        ]
    return pd.concat(frames, ignore_index=True), axes
