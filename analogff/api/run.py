"""Run a study from Python."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from analogff.api.results import Results
from analogff.study.read.spec import Study
from analogff.study.read.survival import read_surviving
from analogff.study.run.engine import default_folder, describe_failure, run_study
from analogff.support.console import PlainConsole


class StudyFailed(RuntimeError):
    """Some tasks of a study failed; the others are kept."""


def run(
    path: str | Path,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    set: Sequence[str] = (),
    quiet: bool = False,
) -> Results:
    """Run a study, or resume it, as ``analogff run`` does; finished runs are kept.

    Args:
        path: The study file.
        out: Folder of the results; ``results/<name of the study>`` by default.
        workers: Worker processes, one thread each; 0 works inside this process; all cores by default.
        set: ``path=value`` that overrule the file.
        quiet: Whether nothing is printed.

    Returns:
        Its results.

    Raises:
        StudyError: With every mistake in the file, before anything runs.
        StoreError: If the folder holds other results.
        StudyFailed: If a task failed; run it again to try that one again.
    """
    return finish(read_surviving(Path(path), tuple(set)), out=out, workers=workers, quiet=quiet)


def finish(study: Study, *, out: str | Path | None = None, workers: int | None = None, quiet: bool = False) -> Results:
    """Run what is missing of a study; arguments as those of `run`."""
    done = run_study(
        study,
        default_folder(study) if out is None else Path(out),
        workers=(os.cpu_count() or 1) if workers is None else workers,
        console=Console(quiet=True) if quiet else PlainConsole(),
    )
    if done.failures:
        raise StudyFailed("\n".join(map(describe_failure, done.failures)))
    return Results(done.folder)
