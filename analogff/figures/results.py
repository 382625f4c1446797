"""What figures are drawn from: the stored numbers, and what they are called."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from analogff.figures.aggregate import everywhere
from analogff.study.labels import file_name, shorten, value_label, variant_labels
from analogff.study.summary import last_epochs

PANELS, FILES = 6, 6
"""Most panels in a figure, and most files of a kind: beyond that nobody looks."""


@dataclasses.dataclass(frozen=True)
class Results:
    """The store's content.

    Args:
        frame: Results, with the columns ``variant`` and ``last`` (of the run) added.
        goodness: Goodness histograms; may be empty.
        axes: Swept paths that took more than one value.
        variants: Labels of rule variants in the order of the study, which fixes their colours.
    """

    frame: pd.DataFrame
    goodness: pd.DataFrame
    axes: tuple[str, ...]
    variants: tuple[str, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, goodness: pd.DataFrame, manifest: Mapping[str, Any]) -> "Results":
        """Name what is there."""
        swept = [path for path in manifest["study"].get("sweep", {}) if path in frame]
        axes = tuple(path for path in swept if frame[path].nunique() > 1)
        last = frame.index.isin(last_epochs(frame).index)
        frame = shorten(frame.assign(variant=variant_labels(frame, swept), last=last), axes)
        goodness = shorten(goodness, [axis for axis in axes if axis in goodness])
        variants = tuple(frame["variant"].unique())
        return cls(everywhere(frame, axes), goodness, axes, variants)

    def numeric(self, axis: str) -> bool:
        """Tell whether an axis has numbers on it."""
        return pd.api.types.is_numeric_dtype(self.frame[axis]) and self.frame[axis].dtype != bool


@dataclasses.dataclass(frozen=True)
class Panel:
    """One part of a figure."""

    title: str
    frame: pd.DataFrame


def arrange(results: Results, frame: pd.DataFrame, axes: Sequence[str]) -> Iterator[tuple[str, list[Panel]]]:
    """Deal the values of some axes out to files, and within a file to panels.

    The first axis of names (a family, a model) makes the panels, or else the first one; the others make files.

    Yields:
        The part of the file name that tells it apart, and the file's panels.
    """
    by_name = [axis for axis in axes if not results.numeric(axis)] or list(axes)
    facet = next((axis for axis in by_name if frame[axis].nunique() <= PANELS), None)
    others = [axis for axis in axes if axis != facet]
    for _, (suffix, part) in zip(range(FILES), points(frame, others), strict=False):
        panels = [Panel(title, rows) for title, rows in points(part, [facet] if facet else [])]
        yield file_name(suffix), panels


def points(frame: pd.DataFrame, axes: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each combination of the values of some axes, with its name."""
    if not axes:
        yield "", frame
        return
    for values, rows in frame.groupby(list(axes), sort=False):
        yield ", ".join(value_label(axis, value) for axis, value in zip(axes, values, strict=True)), rows
