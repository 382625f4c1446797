"""``analogff table``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from analogff.cli.arguments import Command, Flag, argument
from analogff.cli.boundary import OK

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Table(Command):
    """Print a table for a paper: mean test errors with intervals over chips."""

    folder: Annotated[tyro.conf.Positional[Path], argument("DIR")]
    """Folder of results."""
    format: Annotated[Literal["latex", "markdown", "csv"], argument("NAME")] = "latex"
    """latex, markdown or csv; LaTeX needs the package booktabs."""
    costs: Flag = False
    """Add columns with the reads, pulses, seconds and joules of training."""

    def perform(self, console: "Console") -> int:
        """Load the results and print the table, with nothing around it."""
        from analogff.cli.output import mistaken
        from analogff.study.measurements.life import EVENTS
        from analogff.study.results.lives import at_end_of_life
        from analogff.study.results.manifest import read_manifest
        from analogff.study.results.paper_table import paper_table
        from analogff.study.results.store import load_measurement, load_results
        from analogff.study.results.summary import summarize

        try:
            frame, manifest = load_results(self.folder), read_manifest(self.folder)
            events = load_measurement(self.folder, EVENTS.name)
            summary = summarize(at_end_of_life(frame, manifest, events), manifest)
        except ValueError as error:  # no results, damaged ones, or no manifest
            return mistaken(error)
        print(paper_table(summary, self.format, costs=self.costs), end="")
        return OK
