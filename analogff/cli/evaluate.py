"""``analogff evaluate``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import Command, Settings, argument, check_file
from analogff.cli.boundary import OK

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Evaluate(Command):
    """Look again at kept chips, under other conditions and without training."""

    folder: Annotated[tyro.conf.Positional[Path], argument("DIR")]
    """Folder of results of a study with `keep = true`."""
    set: Settings = ()
    """A device parameter, e.g. device.read_noise=0.2, or idle time, e.g. wait="1 year"; may be given several times."""
    csv: Annotated[Path | None, argument("FILE")] = None
    """File for the errors of every chip; none by default."""

    def perform(self, console: "Console") -> int:
        """Evaluate, and print a row for each rule and swept point."""
        from analogff.cli.output import mistaken
        from analogff.study.results.manifest import read_manifest
        from analogff.study.results.report import print_then_and_now
        from analogff.study.results.store import load_results
        from analogff.study.results.summary import last_epochs
        from analogff.study.run.look_again import look_again
        from analogff.support.mistakes import StudyError

        try:
            if self.csv is not None:
                check_file(self.csv, "--csv")
            trained, manifest = last_epochs(load_results(self.folder)), read_manifest(self.folder)
            errors = look_again(self.folder, self.set)
        except StudyError as error:
            return mistaken(self.folder, error.mistakes)
        except ValueError as error:  # no results, no chips, or damaged ones
            return mistaken(error)
        if self.csv is not None:
            self.csv.parent.mkdir(parents=True, exist_ok=True)
            errors.to_csv(self.csv, index=False)
        print_then_and_now(trained, errors, manifest, console)
        return OK
