"""The results of a study, in Python."""

import warnings
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analogff.api.chip import KeptChip
from analogff.figures import LeftOut
from analogff.figures.draw import FIGURES, draw_one
from analogff.figures.results import Results as Drawable
from analogff.figures.style import styled
from analogff.study.results.comparison import compare, labeled
from analogff.study.results.manifest import read_manifest
from analogff.study.results.names import variant_labels
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
        return self.summary.to_html(index=False, float_format="{:.4g}".format, na_rep="")

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row for each rule and swept point: mean error, its interval over chips, and costs."""
        return summarize(self.table, self.manifest)

    @cached_property
    def measurements(self) -> dict[str, pd.DataFrame]:
        """Further tables by name: ``events``, ``goodness``, ``layers``, as far as the study has them."""
        return load_measurements(self.folder)

    def compare(self) -> pd.DataFrame:
        """Compare each pair of rules at each swept point, paired over chips; see `analogff compare`."""
        last, axes = labeled(self.table, self.manifest)
        return compare(last, axes)

    def plot(self, kind: str = "error_vs_sweep") -> Figure:
        """Draw a figure; the first one, where a study has several of a kind.

        Args:
            kind: A kind such as ``error_vs_epoch``, or the name of one figure in the folder ``figures``.

        Raises:
            ValueError: If the study has no such figure.
        """
        frame = Drawable.of(self.table, self.measurements, self.manifest)
        kinds = [name for name in FIGURES if kind.startswith(name)] or list(FIGURES)
        there: list[str] = []
        with styled(), warnings.catch_warnings():
            warnings.simplefilter("ignore", LeftOut)
            for name in kinds:
                for drawing in draw_one(name, frame):
                    if kind in (name, drawing.name):
                        return drawing.figure
                    there.append(drawing.name)
        listed = ", ".join(there[:10]) or f"none of kind {kind}"
        raise ValueError(f"Expected a figure of {self.folder}. Got {kind!r}. There is {listed}.")

    def chip(self, *, chip: int, rule: str | None = None, seed: int = 0, **point: Any) -> KeptChip:
        """Return a trained chip of a study with ``keep = true``.

        Args:
            chip: Its chip seed.
            rule: The label of its rule; may be left out if there is one rule.
            seed: Its learning seed.
            point: Values of swept paths, with ``_`` for dots: ``device_read_noise=0.1``.

        Raises:
            ValueError: If no run, or more than one, is meant.
            StoreError: If its chips were not kept.
        """
        last = last_epochs(self.table)
        swept = [path for path in self.manifest["study"].get("sweep", {}) if path in last]
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
