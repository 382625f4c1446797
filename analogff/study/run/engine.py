"""From a study to results in a folder: runs only what is missing."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distributed import Client
from rich.console import Console

from analogff.study.read.batches import oversized
from analogff.study.read.doubts import doubts
from analogff.study.read.spec import Study
from analogff.study.results.choice import FOLDER
from analogff.study.results.manifest import describe, metadata_of, write_manifest
from analogff.study.results.names import file_name
from analogff.study.results.store import Store
from analogff.study.run.cluster import connect
from analogff.study.run.compute import check_compute
from analogff.study.run.dispatch import Dispatch
from analogff.study.run.execute import Outcome
from analogff.study.run.packing import pack
from analogff.study.run.plan import plan_runs
from analogff.study.run.progress import Progress
from analogff.study.run.stall import watched
from analogff.study.run.status import listen
from analogff.study.run.tuning import explain, trial_study, with_choice
from analogff.study.run.unfinished import gather
from analogff.study.task import Run, Task
from analogff.support.console import PlainConsole, say


@dataclasses.dataclass(frozen=True)
class Finished:
    """Outcome of a run of a study."""

    folder: Path
    """Folder of the results."""
    computed: int
    """Number of runs done now."""
    failures: tuple[Outcome, ...]
    """Failed tasks; a rerun retries them."""


def run_study(
    study: Study,
    folder: Path,
    *,
    workers: int,
    scheduler: str | None = None,
    memory_gib: float = 1.0,
    console: Console | None = None,
) -> Finished:
    """Run the missing runs of a study; the trials of its tuning first, in a subfolder.

    Args:
        study: What to run.
        folder: Folder of the results; may hold earlier ones of the same study.
        workers: Processes on this machine; 0 works inside this one.
        scheduler: Address of a Dask scheduler, instead.
        memory_gib: Greatest memory of the state of one task.
        console: Console of the progress.

    Raises:
        StudyError: If the study needs hardware that this machine lacks.
        StoreError: If the folder holds other results.
        ClusterError: If a scheduler does not answer.
    """
    console = console or PlainConsole()
    if scheduler is None:
        check_compute(study.cases)
    study_or_end = _tuned(study, folder, workers, scheduler, memory_gib, console)
    if isinstance(study_or_end, Finished):
        return study_or_end
    study = study_or_end
    runs = plan_runs(study)
    manifest = describe(study, runs)
    store = Store(folder.absolute(), runs, metadata_of(manifest))
    left = _left(runs, store, manifest)
    if store.dropped:
        say(console, f"{store.dropped} runs are no part of the study any more: they are kept, and shown nowhere.")
    if not left:
        with store.alone():
            _prepare(store, manifest)
        say(console, f"All {len(runs)} runs are there already.")
        return Finished(folder, 0, ())
    _say_doubts(left, study, console)
    with connect(workers, scheduler) as client, store.alone():
        left = _left(runs, store, manifest)  # again, since another run may have written there until now
        _prepare(store, manifest)
        failures = _do(client, study, store, left, memory_gib, console, kept=len(runs) - len(left))
        store.tidy()
    failed = sum(len(outcome.task.runs) for outcome in failures)
    return Finished(folder, len(left) - failed, failures)


def _tuned(
    study: Study, folder: Path, workers: int, scheduler: str | None, memory_gib: float, console: Console
) -> Study | Finished:
    """Run the trials, and return the study with the chosen options; how it ended, if a trial failed."""
    if study.tuning is None:
        return study
    trials = trial_study(study, study.tuning)
    say(console, explain(trials, study.tuning))
    own = folder / FOLDER
    done = run_study(trials, own, workers=workers, scheduler=scheduler, memory_gib=memory_gib, console=console)
    if done.failures:
        return Finished(folder, 0, done.failures)
    say(console, "Options are chosen. The study follows.")
    return with_choice(study, study.tuning, folder)


def _say_doubts(runs: Sequence[Run], study: Study, console: Console) -> None:
    for line in oversized((run.case for run in runs), study.shapes):
        say(console, line)
    with watched("Checking plug-ins", lambda line: say(console, line)):
        for line in doubts((run.case for run in runs), study.folder):
            say(console, line)


def _left(runs: Sequence[Run], store: Store, manifest: dict[str, Any]) -> list[Run]:
    done = store.done(manifest)
    return [run for run in runs if run.key not in done]


def _do(
    client: Client, study: Study, store: Store, left: list[Run], memory_gib: float, console: Console, *, kept: int
) -> tuple[Outcome, ...]:
    """Do the remaining runs."""
    threads = sum(client.nthreads().values())  # type: ignore[union-attr] (the client is no coroutine)
    begun = gather(store.unfinished, left, str(study.folder))
    going_on = {run.key for task in begun for run in task.runs}
    new = [run for run in left if run.key not in going_on]
    packing = pack(new, study.shapes, workers=threads, memory_gib=memory_gib, folder=str(study.folder))
    place = str(store.unfinished.resolve())
    tasks = [dataclasses.replace(task, kept=place) for task in begun + packing.tasks]
    progress = Progress(console, len(tasks), len(left), kept)
    listen(client, place, progress.hear, progress.warn_once)
    if begun:
        say(console, f"{len(going_on)} runs go on from where they were.")
    for line in packing.explain() if new else ():
        say(console, line)
    return _work(client, tasks, store, progress)


def _work(client: Client, tasks: list[Task], store: Store, progress: Progress) -> tuple[Outcome, ...]:
    failures = []
    with progress:
        for outcome in Dispatch(client, tasks, progress.warn).outcomes():
            store.write(outcome)
            progress.note(outcome)
            if outcome.failure:
                failures.append(outcome)
    return tuple(failures)


def _prepare(store: Store, manifest: dict) -> None:
    store.prepare()
    write_manifest(store.folder, manifest)


def default_folder(study: Study) -> Path:
    """Return ``results/<name>`` with the study's name as a plain folder name."""
    slug = "-".join("".join(c if c.isalnum() else " " for c in study.name.lower()).split())
    return Path("results") / (file_name(slug) or "study")


def describe_failure(outcome: Outcome) -> str:
    """Return a sentence for a task that raised."""
    more = len(outcome.task.runs) - 1
    others = f" and {more} more runs of its task" if more else ""
    given = outcome.failure
    given = given if given.startswith("Expected ") else f"Expected it to learn. Got {given}."
    return f"{outcome.task.runs[0]}{others}: {given}"
