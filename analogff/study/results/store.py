"""Results on disk: one Parquet part for each task, complete or absent."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from filelock import FileLock, Timeout

from analogff.study.measurements.catalog import declared_tables
from analogff.study.results.columns import RESULTS, Columns
from analogff.study.results.differences import what_changed
from analogff.study.results.integrity import runs_in, sibling
from analogff.study.results.manifest import read_manifest
from analogff.study.results.parts import (
    PATTERN,
    StoreError,
    is_ours,
    kinds_beside,
    part_name,
    parts_in,
    read_part,
    write_part,
)
from analogff.study.run import unfinished
from analogff.study.run.execute import Outcome
from analogff.study.task import Run
from analogff.support.atomic import clear_half_done

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Store", "load_measurement", "load_measurements", "load_results"]


class Store:
    """The results of a study in a folder. Only one driver writes there; workers write only checkpoints.

    Args:
        folder: The folder.
        runs: All runs of the study.
        metadata: Texts to keep in every part: versions, commit.
    """

    def __init__(self, folder: Path, runs: Sequence[Run], metadata: Mapping[str, str]):
        self.folder = folder
        self.unfinished = folder / unfinished.FOLDER
        self.columns = Columns(runs, metadata)
        self._planned = {run.key: run for run in runs}
        self.dropped = 0

    def done(self, manifest: Mapping[str, Any]) -> set[str]:
        """Return the keys of the study's finished runs; writes nothing.

        A study may become smaller: its other runs are kept, and counted in ``dropped``.

        Args:
            manifest: The present manifest of the study.

        Raises:
            StoreError: If there are results of another study, or a part is damaged.
        """
        there = runs_in(self.folder, self._planned)
        known = there & self._planned.keys()
        self.dropped = len(there - known)
        changed = what_changed(self.folder, manifest, shares_runs=bool(known)) if self.dropped else ""
        if changed:
            raise StoreError(
                f"Expected {self.folder} to be empty or to hold results of this study. Got {self.dropped} runs of "
                f"{changed}. Use another --out, or remove {self.folder}."
            )
        return known

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the folder against other drivers; the lock ends with its process.

        Raises:
            StoreError: If another driver holds the lock.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            held = FileLock(self.folder / "lock").acquire(timeout=0)
        except Timeout as error:
            raise StoreError(
                f"Expected {self.folder} to be free. Got a folder that another run is at work in. Wait for it, or use "
                "another --out."
            ) from error
        with held:
            yield

    def prepare(self) -> None:
        """Make the folders, remove leftovers of a killed run, and update old parts to the present columns."""
        self.unfinished.mkdir(parents=True, exist_ok=True)
        clear_half_done(self.folder, "manifest.json")
        for name, schema in self.columns.schemas.items():
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            clear_half_done(folder, PATTERN)
            for part in sorted(folder.glob(PATTERN)):
                if not is_ours(part):
                    continue
                if not (self.folder / RESULTS / part.name).exists():
                    part.unlink()  # its task was killed between its parts, and will be redone
                    continue
                table, beside = read_part(part)
                if not self.columns.fit(table, schema):
                    write_part(self.columns.label(table, schema), part, beside)

    def tidy(self) -> None:
        """Remove the folder of checkpoints, unless it holds a failed task."""
        with contextlib.suppress(OSError):
            unfinished.forget_trained(self.unfinished)
            self.unfinished.rmdir()

    def write(self, outcome: Outcome) -> None:
        """Write the tables of a task. The results come last and mark it as finished."""
        name = part_name(outcome.task.key)
        written: list[str] = []
        for kind, schema in self.columns.schemas.items():
            table = outcome.numbers if kind == RESULTS else outcome.tables.get(kind)
            if table is not None:
                beside = written if kind == RESULTS else ()
                write_part(self.columns.label(table, schema), self.folder / kind / name, beside)
                written.append(kind)
        if outcome.numbers is not None:
            unfinished.forget(self.unfinished, outcome.task)


def load_results(folder: Path | str) -> "pd.DataFrame":
    """Return the results of a study, one row for each run and epoch, in the order of the study.

    Raises:
        StoreError: If the folder has no results.
    """
    return _load(Path(folder), parts_in(Path(folder) / RESULTS), ["epoch"])


def load_measurements(folder: Path | str) -> "dict[str, pd.DataFrame]":
    """Return the tables of a study's measurements by name."""
    tables = {name: load_measurement(folder, name) for name in declared_tables()}
    return {name: table for name, table in tables.items() if table is not None}


def load_measurement(folder: Path | str, name: str) -> "pd.DataFrame | None":
    """Return the table of a measurement in the order of a study; None if there is none."""
    results = parts_in(Path(folder) / RESULTS)
    parts = [sibling(part, name) for part in results if name in kinds_beside(part)]
    return _load(Path(folder), parts, list(declared_tables()[name].key)) if parts else None


def _load(folder: Path, parts: list[Path], by: list[str]) -> "pd.DataFrame":
    if not parts:
        raise StoreError(
            f"Expected a folder with results of analogff run. Got {folder}, which holds none. Give the folder that "
            "was printed at the end of the run."
        )
    frame = pa.concat_tables([read_part(part)[0] for part in parts]).to_pandas()
    twice = frame[frame.duplicated(["run", *by])]
    if len(twice):
        raise StoreError(
            f"Expected each {', '.join(['run', *by])} once in {parts[0].parent}. Got {len(twice)} rows twice, such as "
            f"those of run {twice['run'].iloc[0]}. Run the study again: it names the part to remove."
        )
    order = {key: n for n, key in enumerate(read_manifest(folder)["runs"])}
    frame = frame[frame["run"].isin(order)]  # other runs were dropped from the study
    frame = frame.assign(_order=frame["run"].map(order)).sort_values(["_order", *by], kind="stable")
    return frame.drop(columns="_order").reset_index(drop=True)
