"""Results on disk: one Parquet part a task, complete or not there at all."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from analogff.atomic import clear_half_done, replacing
from analogff.study import unfinished
from analogff.study.columns import Columns
from analogff.study.execute import Outcome
from analogff.study.manifest import read_manifest
from analogff.study.task import Run

if TYPE_CHECKING:
    import pandas as pd


class StoreError(ValueError):
    """A folder that does not hold what it should."""


class Store:
    """The results of a study in a folder; only one driver writes there, workers keep unfinished tasks alone.

    Args:
        folder: Where.
        runs: All runs of the study.
        metadata: Texts to keep in every part: study, versions, commit.
    """

    def __init__(self, folder: Path, runs: Sequence[Run], metadata: Mapping[str, str]):
        self.folder = folder
        self.unfinished = folder / unfinished.FOLDER
        self.columns = Columns(runs, metadata)
        self._planned = {run.key for run in runs}

    def done(self) -> set[str]:
        """Return the keys of the runs that are there; writes nothing.

        Raises:
            StoreError: If there are results of other runs, or a part cannot be read.
        """
        there = [key for part in _parts(self.folder / "results") for key in _keys_of(part)]
        foreign = set(there) - self._planned
        if foreign:
            raise StoreError(
                f"Expected {self.folder} to be empty or to hold results of this study. Got {len(foreign)} runs of "
                "another study, of edited code or data, or of another version. Use another --out, or remove "
                f"{self.folder}."
            )
        return set(there)

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
        clear_half_done(self.folder)  # of the manifest
        for name, schema in self.columns.schemas.items():
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            clear_half_done(folder)
            for part in _parts(folder):
                if not (self.folder / "results" / part.name).exists():
                    part.unlink()  # its task was killed between its parts, and will be done again
                elif not pq.read_schema(part).equals(schema):
                    _write(self.columns.label(pq.ParquetFile(part).read(), schema), part)

    def tidy(self) -> None:
        """Remove the folder of unfinished tasks, unless one that failed is kept there."""
        with contextlib.suppress(OSError):
            self.unfinished.rmdir()

    def write(self, outcome: Outcome) -> None:
        """Keep what a task gave; the results come last, and are what makes it count as done."""
        name = f"part-{outcome.task.key}.parquet"
        tables = {"goodness": outcome.goodness, "layers": outcome.layers, "results": outcome.numbers}
        for kind, table in tables.items():
            if table is not None:
                _write(self.columns.label(table, self.columns.schemas[kind]), self.folder / kind / name)
        if outcome.numbers is not None:
            unfinished.forget(self.unfinished, outcome.task)


def load_results(folder: Path | str) -> "pd.DataFrame":
    """Return the results of a study, one row a run and epoch, in the order of the study.

    Raises:
        StoreError: If the folder holds none.
    """
    return _load(Path(folder), "results", ["epoch"])


def load_goodness(folder: Path | str) -> "pd.DataFrame | None":
    """Return the goodness histograms of a study in its order; None if no rule had a goodness."""
    if not _parts(Path(folder) / "goodness"):
        return None
    return _load(Path(folder), "goodness", ["layer", "polarity", "bin_low"])


def load_layers(folder: Path | str) -> "pd.DataFrame | None":
    """Return the errors of each layer alone, in the order of a study; None if no rule's layers answered."""
    if not _parts(Path(folder) / "layers"):
        return None
    return _load(Path(folder), "layers", ["epoch", "layer"])


def _load(folder: Path, name: str, by: list[str]) -> "pd.DataFrame":
    parts = _parts(folder / name)
    if not parts:
        raise StoreError(
            f"Expected a folder with results of analogff run. Got {folder}, which holds none. Give the folder that "
            "was printed at the end of the run."
        )
    frame = pa.concat_tables([pq.ParquetFile(part).read() for part in parts]).to_pandas()
    order = {key: n for n, key in enumerate(read_manifest(folder)["runs"])}
    frame = frame.assign(_order=frame["run"].map(order)).sort_values(["_order", *by], kind="stable")
    return frame.drop(columns="_order").reset_index(drop=True)


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _keys_of(part: Path) -> set[str]:
    try:
        return set(pq.ParquetFile(part).read(["run"])["run"].to_pylist())
    except (pa.ArrowException, OSError, KeyError) as error:
        raise StoreError(
            f"Expected {part} to be a part of the results. Got {error}. Remove it; its runs will be done again."
        ) from error


def _write(table: pa.Table, path: Path) -> None:
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
