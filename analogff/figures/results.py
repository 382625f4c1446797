"""The data of figures: stored numbers with their names."""

import dataclasses
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import pandas as pd

from analogff.figures.aggregate import everywhere
from analogff.study.case import NO_DEVICE
from analogff.study.measurements.catalog import declared_tables
from analogff.study.results.names import controls_in, file_name, shorten, value_label, variant_labels
from analogff.study.results.summary import last_epochs

PANELS, FILES = 6, 24
"""Greatest number of panels in a figure, and of files of a kind."""

T = TypeVar("T")


class LeftOut(UserWarning):
    """Not everything is drawn."""


@dataclasses.dataclass(frozen=True)
class Results:
    """The store's content.

    Args:
        frame: Results, with the columns ``variant`` and ``last`` (of the run) added.
        tables: Table of each measurement by name; may be empty.
        axes: Swept paths that took more than one value.
        variants: Labels of rule variants in the order of the study, which fixes their colors.
        target_error: The study's, in percent; None for none.
    """

    frame: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    axes: tuple[str, ...]
    variants: tuple[str, ...]
    target_error: float | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]) -> "Results":
        """Name axes and variants."""
        control = controls_in(frame)
        taught = frame["run"][control.isna()]
        frame = frame[control != NO_DEVICE]  # at chance level, which would stretch every axis
        swept = [path for path in manifest["study"].get("sweep", {}) if path in frame]
        axes = tuple(path for path in swept if frame[path].nunique() > 1)
        last = frame.index.isin(last_epochs(frame).index)
        frame = shorten(frame.assign(variant=variant_labels(frame, swept), last=last), axes)
        found = {name: tables.get(name, pd.DataFrame()) for name in declared_tables()}
        found = {name: table[table["run"].isin(taught)] if len(table) else table for name, table in found.items()}
        found = {name: shorten(table, [axis for axis in axes if axis in table]) for name, table in found.items()}
        variants = tuple(frame["variant"].unique())
        return cls(everywhere(frame, axes), found, axes, variants, manifest["study"].get("target_error"))

    @property
    def kept_images(self) -> str:
        """Images of measurements: validation images, or else training images."""
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
        The distinguishing part of the file name, and the file's panels.
    """
    by_name = [axis for axis in axes if not results.numeric(axis)] or list(axes)
    facet = next((axis for axis in by_name if frame[axis].nunique() <= PANELS), None)
    others = [axis for axis in axes if axis != facet]
    for suffix, part in at_most(points(frame, others), FILES, "figures of one kind"):
        panels = [Panel(title, rows) for title, rows in points(part, [facet] if facet else [])]
        yield file_name(suffix), panels


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
