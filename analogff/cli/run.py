"""``analogff run``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import ArgumentError, Command, Settings, check_folder
from analogff.cli.boundary import FAILED, OK, say_error

if TYPE_CHECKING:
    from rich.console import Console

    from analogff.study.run.engine import Finished


@dataclass(frozen=True)
class Run(Command):
    """Run a study, or resume it: finished runs are kept."""

    study: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="STUDY.toml")]
    """The study file (TOML)."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of the results; results/<name of the study> by default."""
    workers: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Worker processes on this machine, one thread each; 0 works inside this process; all cores by default."""
    scheduler: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS")] = None
    """Address of a running Dask scheduler, to use its workers instead."""
    set: Settings = ()
    """Override a path of the study file, e.g. device.read_noise=0.1; may be given several times."""
    memory: Annotated[float, tyro.conf.arg(metavar="GIB")] = 1.0
    """Most memory in GiB that the state of one task may take."""

    def perform(self, console: "Console") -> int:
        """Validate, run the remaining runs, print the results and draw them."""
        from analogff.cli.output import mistaken
        from analogff.study.results.store import StoreError
        from analogff.study.run.cluster import ClusterError
        from analogff.support.mistakes import StudyError

        try:
            finished = self._run(console)
        except StudyError as error:
            return mistaken(self.study, error.mistakes)
        except (ClusterError, StoreError, ArgumentError) as error:
            return mistaken(error)
        return _conclude(finished, console)

    def _run(self, console: "Console") -> "Finished":
        from analogff.study.read.spec import read_study
        from analogff.study.read.survival import require_survivors
        from analogff.study.run.engine import default_folder, run_study
        from analogff.study.run.stall import watched

        self._check_options()
        with watched(f"Reading {self.study}", say_error):
            require_survivors(self.study, self.set)
            study = read_study(self.study, self.set)
        folder = self.out or default_folder(study)
        check_folder(folder)
        workers = (os.cpu_count() or 1) if self.workers is None else self.workers
        return run_study(
            study, folder, workers=workers, scheduler=self.scheduler, memory_gib=self.memory, console=console
        )

    def _check_options(self) -> None:
        wrong = []
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
    from analogff.study.results.store import load_results
    from analogff.study.run.engine import describe_failure
    from analogff.support.console import say

    status = OK
    if any((finished.folder / "results").glob("part-*.parquet")):
        results = load_results(finished.folder)
        manifest = read_manifest(finished.folder)
        report(results, manifest, console)
        if "tune" in manifest["study"] and (choice := read_choice(finished.folder)):
            for line in describe_choice(choice):
                say(console, line)
        status = draw_figures(finished.folder, results, console)
    for outcome in finished.failures:
        say_error(describe_failure(outcome))
    if finished.failures:
        say_error(f"{len(finished.failures)} tasks failed; the others are kept. Give the same command to try again.")
    return FAILED if finished.failures else status
