"""``analogff report``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import Command, argument, check_file
from analogff.cli.boundary import OK

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Report(Command):
    """Write one HTML page of a study: design, tables, figures, costs, citation."""

    folder: Annotated[tyro.conf.Positional[Path], argument("DIR")]
    """Folder of results."""
    out: Annotated[Path | None, argument("FILE")] = None
    """The page; report.html in the folder by default."""

    def perform(self, console: "Console") -> int:
        """Write the page and say where it is."""
        from analogff.cli.output import mistaken
        from analogff.report import write_report
        from analogff.support.console import say

        if self.out is not None and self.out.is_dir():
            return mistaken(f"--out: Expected a file. Got the folder {self.out}. Write {self.out / 'report.html'}.")
        try:
            if self.out is not None:
                check_file(self.out)
            path = write_report(self.folder, self.out)
        except ValueError as error:  # no results, damaged ones, or no manifest
            return mistaken(error)
        say(console, f"{path} is there. Open it in a browser; it needs nothing else.")
        return OK
