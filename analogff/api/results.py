"""The results of a study, in Python."""

import warnings
from collections.abc import Iterator
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analogff.api.chip import KeptChip
from analogff.figures import LeftOut, Missing
from analogff.figures.draw import FIGURES, ON_DEMAND, draw_one
from analogff.figures.drawing import Drawing
from analogff.figures.results import Results as Drawable
from analogff.figures.style import styled
from analogff.report import write_report
from analogff.study.measurements.life import EVENTS
from analogff.study.results.comparison import compare, labeled
from analogff.study.results.lives import at_end_of_life
from analogff.study.results.manifest import read_manifest
from analogff.study.results.names import controls_in, variant_labels
from analogff.study.results.store import load_measurements, load_results
from analogff.study.results.summary import last_epochs, summarize
from analogff.study.run.kept import kept_chips


class Results:
    """The results of a study in a folder.

    Args:
        folder: Folder of ``analogff run``, finished or not.

    Raises:
        ValueError: If it holds none.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = read_manifest(self.folder)
        """The study as resolved, versions, commit and seeds."""
        self.table: pd.DataFrame = load_results(self.folder)
        """One row for each run and evaluated epoch."""

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}: {self.table['run'].nunique()} runs)"

    def _repr_html_(self) -> str:
        shown = self.summary.dropna(axis="columns", how="all")
        caption = f"{escape(str(self.folder))}: test error in percent, and the mean costs of a training"
        table = shown.to_html(index=False, float_format="{:.4g}".format, na_rep="")
        head, rest = table.split(">", 1)
        return f"{head}><caption>{caption}</caption>{rest}"

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each rule and swept point: mean error, its interval over chips, and costs."""
        return summarize(self._judged, self.manifest)

    @cached_property
    def measurements(self) -> dict[str, pd.DataFrame]:
        """Further tables by name: ``diagnostics``, ``events``, ``goodness``, ``layers``, as far as there are any."""
        return load_measurements(self.folder)

    @property
    def _judged(self) -> pd.DataFrame:
        return at_end_of_life(self.table, self.manifest, self.measurements.get(EVENTS.name))

    def compare(self) -> pd.DataFrame:
        """Compare each pair of rules at each swept point, paired over chips; see `analogff compare`."""
        last, axes = labeled(self._judged, self.manifest)
        return compare(last, axes)

    def plot(
        self, kind: str = "error_vs_sweep", *, style: str | None = None, columns: int | None = None, **choice: Any
    ) -> Figure:
        """Draw a figure; the first one, where a study has several of a kind.

        Args:
            kind: A kind such as ``error_vs_epoch``, or the name of one figure in the folder ``figures``.
            style: ``default``, ``ieee``, ``nature``, ``neurips``, ``icml`` or ``poster``; that of the study by default.
            columns: Columns of the page that the figure spans, 1 or 2.
            choice: Other fields of the table ``[figure]``, instead of those of the study: ``lines`` (labels of the
                rules, in order), ``labels``, ``colors``, ``axes``.

        Raises:
            StudyError: If a choice has a mistake.
            ValueError: If the study has no such figure, or not what the kind needs.
        """
        given = {"style": style, "columns": columns}
        changes = choice | {name: value for name, value in given.items() if value is not None}
        frame = Drawable.of(self.table, self.measurements, self.manifest, changes, self.folder)
        kinds = [name for name in (*FIGURES, *ON_DEMAND) if kind.startswith(name)] or list(FIGURES)
        there: list[str] = []
        with styled(frame.choice.style, frame.choice.columns), warnings.catch_warnings():
            warnings.simplefilter("ignore", LeftOut)
            for name in kinds:
                for drawing in self._drawings(name, frame, asked=kind == name):
                    if kind in (name, drawing.name):
                        return drawing.figure
                    there.append(drawing.name)
        listed = ", ".join(there[:10]) or f"none of kind {kind}"
        raise ValueError(f"Expected a figure of {self.folder}. Got {kind!r}. There is {listed}.")

    def report(self, out: str | Path | None = None) -> Path:
        """Write one HTML page of the study, as `analogff report` does, and return its file.

        Args:
            out: The file; ``report.html`` in the folder by default.
        """
        return write_report(self.folder, None if out is None else Path(out))

    def _drawings(self, name: str, frame: Drawable, *, asked: bool) -> Iterator[Drawing]:
        try:
            yield from draw_one(name, frame)
        except Missing:
            if asked:
                raise

    def chip(self, *, chip: int, rule: str | None = None, seed: int = 0, **point: Any) -> KeptChip:
        """Return a trained chip of a study with ``keep = true``, no control.

        Args:
            chip: Its chip seed.
            rule: The label of its rule; may be left out if there is one rule.
            seed: Its learning seed.
            point: Values of swept paths, with ``_`` for dots: ``device_read_noise=0.1``.

        Raises:
            ValueError: If no run, or more than one, is meant, or a value is given of what is not swept.
            StoreError: If its chips were not kept.
        """
        last = last_epochs(self.table[controls_in(self.table).isna()])
        swept = [path for path in self.manifest["study"].get("sweep", {}) if path in last]
        if unknown := sorted(set(point) - {path.replace(".", "_") for path in swept}):
            names = ", ".join(path.replace(".", "_") for path in swept) or "none, for nothing is swept"
            raise ValueError(f"Expected names of swept paths ({names}). Got {', '.join(unknown)}. Leave out others.")
        last = last.assign(variant=variant_labels(last, swept))
        found = last[(last["chip"] == chip) & (last["seed"] == seed)]
        found = found if rule is None else found[(found["variant"] == rule) | (found["rule"] == rule)]
        for path in swept:
            if (name := path.replace(".", "_")) in point:
                found = found[found[path] == point[name]]
        if len(found) != 1:
            rules = ", ".join(last["variant"].unique())
            at = f"rule {rule!r} and {point or 'any point'}"
            raise ValueError(
                f"Expected one run. Got {len(found)} of chip {chip}, seed {seed}, {at}. "
                f"Name one of the rules ({rules}), and values of {', '.join(swept) or 'no swept path'}."
            )
        key = str(found["run"].iloc[0])
        kept = next((k for k in kept_chips(self.folder) if key in [run.key for run in k.task.runs]), None)
        if kept is None:
            raise ValueError(
                f"Expected chip {chip} among the kept ones of {self.folder}. Got others. Run the study again."
            )
        return KeptChip(kept, key)
