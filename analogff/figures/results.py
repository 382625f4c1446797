"""The data of figures: stored numbers with their names."""

import dataclasses
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from analogff.figures.aggregate import everywhere
from analogff.figures.choose import chosen, select
from analogff.figures.style import Look, looks
from analogff.study.case import NO_DEVICE
from analogff.study.measurements.catalog import declared_tables
from analogff.study.measurements.life import EVENTS
from analogff.study.read.figure import AxisChoice, FigureChoice
from analogff.study.results.lives import at_end_of_life
from analogff.study.results.names import controls_in, shorten, value_label, variant_labels
from analogff.study.results.summary import last_epochs

PANELS = 6
"""Greatest number of panels in a figure."""

T = TypeVar("T")


class LeftOut(UserWarning):
    """Not everything is drawn."""


class Missing(ValueError):
    """Results do not have what a kind of figure needs; the message says what, in a sentence."""


@dataclasses.dataclass(frozen=True)
class Results:
    """The store's content.

    Args:
        frame: Results, with the columns ``variant`` and ``last`` (of the run) added.
        tables: Table of each measurement by name; may be empty.
        axes: Swept paths that took more than one value.
        variants: Labels of rule variants in the order of the study, which fixes their colors.
        target_error: The study's, in percent; None for none.
        manifest: The manifest.
        choice: What figures show: the table ``[figure]``.
        colors: Chosen colors of variants.
        folder: Folder of the results, if it is known.
        beside: Results of other studies that are drawn in the same figure, by kinds that can.
    """

    frame: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    axes: tuple[str, ...]
    variants: tuple[str, ...]
    target_error: float | None = None
    manifest: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    choice: FigureChoice = dataclasses.field(default_factory=FigureChoice)
    colors: Mapping[str, str] = dataclasses.field(default_factory=dict)
    folder: Path | None = None
    beside: tuple["Results", ...] = ()

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        tables: Mapping[str, pd.DataFrame],
        manifest: Mapping[str, Any],
        changes: Mapping[str, Any] | None = None,
        folder: Path | None = None,
    ) -> "Results":
        """Name axes and variants, and choose what is shown.

        Args:
            frame: Results.
            tables: Tables of measurements.
            manifest: The manifest, with the table ``[figure]`` of the study.
            changes: Changes of that table.
            folder: Of the results, for what needs kept chips.

        Raises:
            StudyError: If a change has a mistake.
        """
        control = controls_in(frame)
        taught = frame["run"][control.isna()]
        frame = frame[control != NO_DEVICE]  # at chance level, which would stretch every axis
        swept = [path for path in manifest["study"].get("sweep", {}) if path in frame]
        choice = chosen(manifest, changes, variant_labels(frame, swept), swept)
        axes = tuple(path for path in swept if frame[path].nunique() > 1)
        last = frame.index.isin(last_epochs(frame).index)
        frame = shorten(frame.assign(variant=variant_labels(frame, swept), last=last), axes)
        found = {name: tables.get(name, pd.DataFrame()) for name in declared_tables()}
        found = {name: table[table["run"].isin(taught)] if len(table) else table for name, table in found.items()}
        found = {name: shorten(table, [axis for axis in axes if axis in table]) for name, table in found.items()}
        variants = tuple(frame["variant"].unique())
        names, colors = select(variants, choice)
        frame = everywhere(frame[frame["variant"].isin(list(names))], axes)
        frame = frame.assign(variant=frame["variant"].map(names))
        return cls(
            frame,
            found,
            axes,
            tuple(names.values()),
            manifest["study"].get("target_error"),
            manifest=manifest,
            choice=choice,
            colors=colors,
            folder=folder,
        )

    @property
    def looks(self) -> dict[str, Look]:
        """Looks of the variants, in their order."""
        return looks(self.variants, self.colors)

    def axis(self, quantity: str) -> AxisChoice:
        """Return what is chosen for the axis of a quantity or a swept path."""
        return self.choice.axes.get(quantity, AxisChoice())

    @cached_property
    def ends(self) -> pd.DataFrame:
        """The last row of each run, with the errors of `at_end_of_life`."""
        judged = at_end_of_life(self.frame, self.manifest, self.tables.get(EVENTS.name))
        return judged[judged["last"]]

    @property
    def kept_images(self) -> str:
        """Validation images, or else training images: what measurements are taken on."""
        return "validation" if self.frame["validation_error"].notna().any() else "training"

    def at_first_numbers(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """Return the rows of a frame at the first value of each axis of numbers, and these values in words."""
        at = []
        for axis in filter(self.numeric, self.axes):
            if frame[axis].notna().any():
                first = frame[axis].dropna().iloc[0]
                frame = frame[frame[axis].isna() | (frame[axis] == first)]
                at.append(value_label(axis, first))
        return frame, at

    def numeric(self, axis: str) -> bool:
        """Return whether an axis has numbers."""
        return pd.api.types.is_numeric_dtype(self.frame[axis]) and self.frame[axis].dtype != bool


@dataclasses.dataclass(frozen=True)
class Panel:
    """One part of a figure."""

    title: str
    frame: pd.DataFrame


def arrange(results: Results, frame: pd.DataFrame, axes: Sequence[str]) -> Iterator[tuple[str, list[Panel]]]:
    """Distribute the values of some axes over files and panels.

    The first axis of names (a family, a model) makes the panels, or else the first one; the others make files.

    Yields:
        What the file has in common, in words, and its panels.
    """
    by_name = [axis for axis in axes if not results.numeric(axis)] or list(axes)
    facet = next((axis for axis in by_name if frame[axis].nunique() <= PANELS), None)
    others = [axis for axis in axes if axis != facet]
    for suffix, part in points(frame, others):
        panels = [Panel(title, rows) for title, rows in points(part, [facet] if facet else [])]
        yield suffix, panels


def at_most(things: Iterable[T], most: int, what: str) -> Iterator[T]:
    """Yield the first items, and warn about the number of further ones."""
    left_out = 0
    for n, thing in enumerate(things):
        if n < most:
            yield thing
        else:
            left_out += 1
    if left_out:
        warnings.warn(
            f"{most + left_out} {what}: the first {most} are drawn. The results hold all; sweep fewer values to see "
            "the others.",
            LeftOut,
            stacklevel=2,
        )


def at_first_numbers(results: Results, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return the rows of another table at the first value of each axis of numbers, without diverged runs.

    Returns:
        The rows, with the ``variant``, ``chip`` and ``diverged`` of their runs; the axes of names; the numbers' labels.
    """
    runs = (
        results.frame[["run", "variant", "chip", "diverged"]]
        .groupby("run", as_index=False)
        .agg({"variant": "first", "chip": "first", "diverged": "any"})
    )
    rows: Any = table.merge(runs, on="run")
    rows, at = results.at_first_numbers(rows[~rows["diverged"]])
    return rows, [axis for axis in results.axes if not results.numeric(axis) and rows[axis].notna().any()], at


def points(frame: pd.DataFrame, axes: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each combination of the values of some axes, with its name."""
    if not axes:
        yield "", frame
        return
    for values, rows in frame.groupby(list(axes), sort=False):
        yield ", ".join(value_label(axis, value) for axis, value in zip(axes, values, strict=True)), rows
