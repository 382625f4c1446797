"""``analogff run``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import ArgumentError, Command, Flag, Settings, argument, check_folder
from analogff.cli.boundary import FAILED, MISTAKE, OK, say_error

if TYPE_CHECKING:
    from rich.console import Console

    from analogff.study.read.spec import Study
    from analogff.study.run.engine import Finished


@dataclass(frozen=True)
class Run(Command):
    """Run studies one after the other, or resume them: finished runs are kept."""

    studies: Annotated[tyro.conf.Positional[tuple[Path, ...]], argument("STUDY.toml ...")]
    """Study files (TOML). Mistakes in any of them are told before the first one runs."""
    out: Annotated[Path | None, argument("DIR")] = None
    """Folder of the results of one study; results/<name of the study> by default."""
    workers: Annotated[int | None, argument("N")] = None
    """Worker processes on this machine, one thread each; 0 works inside this process; all cores by default."""
    scheduler: Annotated[str | None, argument("ADDRESS")] = None
    """Address of a running Dask scheduler, to use its workers instead."""
    set: Settings = ()
    """Override a path of every study file, e.g. device.read_noise=0.1; may be given several times."""
    memory: Annotated[float, argument("GIB")] = 1.0
    """Most memory in GiB that the state of one task may take."""
    quiet: Flag = False
    """Print errors only."""
    verbose: Flag = False
    """Print a line for each finished task."""

    def perform(self, console: "Console") -> int:
        """Validate all studies; of each one, run the remaining runs, print the results and draw them."""
        from analogff.cli.output import mistaken
        from analogff.support.console import say

        try:
            self._check_options()
            if not self._check_studies():
                return MISTAKE
        except ArgumentError as error:
            return mistaken(error)
        console = self._console(console)
        status = OK
        for number, path in enumerate(self.studies, 1):
            if len(self.studies) > 1:
                say(console, f"Study {number} of {len(self.studies)}: {path}")
            status = max(status, self._perform(path, console))
        return status

    def _perform(self, path: Path, console: "Console") -> int:
        from analogff.cli.output import mistaken
        from analogff.study.results.parts import StoreError
        from analogff.study.run.cluster import ClusterError
        from analogff.support.mistakes import StudyError

        try:
            return _conclude(self._run(path, console), console)
        except StudyError as error:  # of a file edited since, or of hardware that is missing
            return mistaken(path, error.mistakes)
        except (ClusterError, StoreError, ArgumentError) as error:
            return mistaken(error)

    def _run(self, path: Path, console: "Console") -> "Finished":
        from analogff.study.run.engine import default_folder, run_study

        study = self._read(path)
        folder = self.out or default_folder(study)
        check_folder(folder)
        workers = (os.cpu_count() or 1) if self.workers is None else self.workers
        return run_study(
            study, folder, workers=workers, scheduler=self.scheduler, memory_gib=self.memory, console=console
        )

    def _read(self, path: Path) -> "Study":
        from analogff.study.read.survival import read_surviving
        from analogff.study.run.stall import watched

        with watched(f"Reading {path}", say_error):
            return read_surviving(path, self.set)

    def _check_studies(self) -> bool:
        """Print the mistakes of several files, and return whether there are none; one file is read when it runs.

        Raises:
            ArgumentError: If results of two would have the same folder.
        """
        from analogff.cli.output import mistaken
        from analogff.study.run.engine import default_folder
        from analogff.support.mistakes import StudyError

        if len(self.studies) == 1:
            return True
        folders: dict[Path, Path] = {}
        good = True
        for path in self.studies:
            try:
                folder = default_folder(self._read(path))
            except StudyError as error:
                mistaken(path, error.mistakes)
                good = False
                continue
            if (other := folders.setdefault(folder, path)) is not path:
                raise ArgumentError(
                    f"Expected studies of different names. Got {other} and {path}, whose results would both be in "
                    f"{folder}. Rename one, or run each with an --out of its own."
                )
        return good

    def _console(self, console: "Console") -> "Console":
        from analogff.support.console import PlainConsole

        if self.quiet:
            return PlainConsole(quiet=True)
        if self.verbose:  # as if it were a file, which has no bar
            return PlainConsole(width=console.width, force_terminal=False)
        return console

    def _check_options(self) -> None:
        wrong = []
        if not self.studies:
            wrong.append("Expected at least one study file. Got none. `analogff new study` writes one to start from.")
        if len(self.studies) > 1 and self.out is not None:
            got = f"{len(self.studies)} studies"
            wrong.append(f"--out: Expected one study beside it. Got {got}. Leave it out, or run them one by one.")
        if self.quiet and self.verbose:
            wrong.append("Expected --quiet or --verbose. Got both. Give one of the two.")
        if self.workers is not None and self.scheduler is not None:
            wrong.append(
                f"--workers: Expected none beside --scheduler, which has workers of its own. Got {self.workers}. "
                "Give one of the two."
            )
        elif self.workers is not None and self.workers < 0:
            wrong.append(f"--workers: Expected 0 or more. Got {self.workers}. 0 works inside this process.")
        if not 0 < self.memory < float("inf"):
            wrong.append(f"--memory: Expected a positive number of GiB. Got {self.memory:g}. Give 1, for example.")
        if wrong:
            raise ArgumentError(*wrong)


def _conclude(finished: "Finished", console: "Console") -> int:
    """Print the results, draw them, and list failures."""
    from analogff.cli.output import draw_figures
    from analogff.study.results.choice import describe_choice, read_choice
    from analogff.study.results.manifest import read_manifest
    from analogff.study.results.report import report
    from analogff.study.results.store import load_measurement, load_results
    from analogff.study.run.engine import describe_failure
    from analogff.support.console import say

    status = OK
    if any((finished.folder / "results").glob("part-*.parquet")):
        results = load_results(finished.folder)
        manifest = read_manifest(finished.folder)
        report(results, manifest, console, load_measurement(finished.folder, "events"))
        if "tune" in manifest["study"] and (choice := read_choice(finished.folder)):
            for line in describe_choice(choice):
                say(console, line)
        status = draw_figures(finished.folder, results, console)
    for outcome in finished.failures:
        say_error(describe_failure(outcome))
    if finished.failures:
        say_error(f"{len(finished.failures)} tasks failed; the others are kept. Give the same command to try again.")
    return FAILED if finished.failures else status
