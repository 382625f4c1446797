"""``analogff plot``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import Command

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Plot(Command):
    """Draw the figures of a folder of results again."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of results."""

    def perform(self, console: "Console") -> int:
        """Load the results and draw them."""
        from analogff.cli.output import draw_figures, mistaken
        from analogff.study.results.store import load_results

        try:
            results = load_results(self.folder)
        except ValueError as error:  # no results, damaged ones, or no manifest
            return mistaken(error)
        return draw_figures(self.folder, results, console)
