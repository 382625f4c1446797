"""Results on disk: one Parquet part a task, complete or not there at all."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from filelock import FileLock, Timeout

from analogff.study.measurements.catalog import measurements
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

__all__ = ["Store", "StoreError", "load_measurement", "load_measurements", "load_results"]


class Store:
    """The results of a study in a folder; only one driver writes there, workers keep unfinished tasks alone.

    Args:
        folder: Where.
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
        """Return the keys of the runs of the study that are there; writes nothing.

        A study that was made smaller is the same study: its other runs are kept, and counted in ``dropped``.

        Args:
            manifest: Of the study as it is now.

        Raises:
            StoreError: If there are results of another study, or a part is not as it was written.
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
        """Keep other drivers out of the folder for a while; the lock ends with its process, however that ends.

        Raises:
            StoreError: If another one is at work there.
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
        """Make the folders, clear what a killed run left half done, and bring old parts under today's columns."""
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
                    part.unlink()  # its task was killed between its parts, and will be done again
                    continue
                table, beside = read_part(part)
                if not self.columns.fit(table, schema):
                    write_part(self.columns.label(table, schema), part, beside)

    def tidy(self) -> None:
        """Remove the folder of unfinished tasks, unless one that failed is kept there."""
        with contextlib.suppress(OSError):
            self.unfinished.rmdir()

    def write(self, outcome: Outcome) -> None:
        """Keep what a task gave; the results come last, and are what makes it count as done."""
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
    """Return the results of a study, one row a run and epoch, in the order of the study.

    Raises:
        StoreError: If the folder holds none.
    """
    return _load(Path(folder), parts_in(Path(folder) / RESULTS), ["epoch"])


def load_measurements(folder: Path | str) -> "dict[str, pd.DataFrame]":
    """Return the tables of all measurements that a study has, by name."""
    tables = {name: load_measurement(folder, name) for name in measurements()}
    return {name: table for name, table in tables.items() if table is not None}


def load_measurement(folder: Path | str, name: str) -> "pd.DataFrame | None":
    """Return the table of a measurement in the order of a study; None if it was taken of no rule."""
    results = parts_in(Path(folder) / RESULTS)
    parts = [sibling(part, name) for part in results if name in kinds_beside(part)]
    return _load(Path(folder), parts, list(measurements()[name].key)) if parts else None


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
    frame = frame[frame["run"].isin(order)]  # others were dropped from the study
    frame = frame.assign(_order=frame["run"].map(order)).sort_values(["_order", *by], kind="stable")
    return frame.drop(columns="_order").reset_index(drop=True)
