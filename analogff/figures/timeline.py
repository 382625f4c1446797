"""Timeline of a chip: which resource does what when (Gantt chart)."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from analogff.figures.drawing import Drawing
from analogff.figures.drawn import Drawn
from analogff.figures.style import COLOURS, WIDTH_INCHES, styled, wrapped
from analogff.study.results.names import file_name
from analogff.study.results.timelines import summary_table
from analogff.study.run.timelines import RuleTimeline
from analogff.support.atomic import replacing
from analogff.timeline import Interval, Log

TABLE = "timelines.csv"
"""File of the table of all rules."""

KINDS = {"convert": "DAC, ADC", "read": "array settles", "digital": "digital", "write": "write"}
"""What is done, and its name in the legend."""
_COLORS = {"convert": COLOURS[5], "read": COLOURS[0], "digital": COLOURS[2], "write": COLOURS[1]}
_LIGHT = (0.3, 0.65)
"""Share of white in the colors of one image and the next; updates have none."""
_MOST_SHARE = 1 / 25
"""Share of the axis that a span takes that is cut, since nothing begins or ends in it."""
_MOST_MEDIANS = 6
"""What is left of it at most, in units of the median span, so that short uses stay visible."""
_CUT_FROM = 4
"""Least length of such a span, in units of what is left of it."""
_ROW_INCHES = 0.15
_TICKS = 6
_UNITS = ((1.0, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns"))
_EDGED_SHARE = 0.012
_NUMBERED_SHARE = 0.022
"""Least share of the axis of a bar that has room for a number."""


def draw_timelines(folder: Path, found: Sequence[RuleTimeline]) -> list[Path]:
    """Draw each timeline into a folder as PDF, PNG and CSV, and write the table of all of them.

    Timelines that only an earlier call drew are removed. Other files are left alone.

    Returns:
        The files.
    """
    with styled(), Drawn.into(folder) as drawn:
        for timeline in found:
            drawn.save(draw_timeline(timeline.label, timeline.log))
    with replacing(folder / TABLE) as temporary:
        summary_table({timeline.label: timeline.summary for timeline in found}).to_csv(temporary, index=False)
    return [folder / TABLE, *drawn.files]


def draw_timeline(label: str, log: Log) -> Drawing:
    """Draw the events of a few images: resources as rows, colors by what is done, images by shade and number.

    Args:
        label: Name of the rule.
        log: The events.
    """
    return Drawing(file_name("timeline", label), partial(_draw, label, log), table(label, log))


def table(label: str, log: Log) -> pd.DataFrame:
    """Return one row for each use of a resource, in the order of time."""
    rows = pd.DataFrame(sorted(log.intervals, key=lambda i: (i.start_seconds, i.end_seconds)), columns=Interval._fields)
    rows = rows.rename(columns={"passing": "pass"})
    rows.insert(0, "rule", label)
    return rows


def _draw(label: str, log: Log) -> Figure:
    used = {i.resource for i in log.intervals}
    rows = [resource for resource in log.resources if resource in used]
    figure = Figure(figsize=(WIDTH_INCHES, _ROW_INCHES * len(rows) + 1.0), layout="constrained")
    axes, clock = figure.subplots(), _Clock(log)
    for interval in log.intervals:
        _bar(axes, rows.index(interval.resource), interval, clock, log.batch)
    _cuts(axes, clock)
    axes.set(xlim=(0, clock.end), ylim=(len(rows) - 0.4, -0.6))
    axes.set_yticks(range(len(rows)), rows, fontsize=6.5)
    for row, resource in enumerate(rows):
        if row and resource.rpartition(" ")[0] != rows[row - 1].rpartition(" ")[0]:
            axes.axhline(row - 0.5, color="0.6", linewidth=0.5)
    _ticks(axes, clock)
    axes.grid(visible=False)
    figure.suptitle(wrapped(f"{label}: {len(log.ends)} steps of {_images(log.batch)}"), fontsize=8)
    done = {i.kind for i in log.intervals}
    handles = [Patch(facecolor=_COLORS[kind], label=name) for kind, name in KINDS.items() if kind in done]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, handlelength=1, columnspacing=1)
    return figure


def _images(batch: int) -> str:
    return "1 image" if batch == 1 else f"{batch} images"


class _Clock:
    """Time along the axis, with long spans cut in which nothing begins or ends.

    Args:
        log: The events.
    """

    def __init__(self, log: Log):
        self.moments = np.unique([0.0, *(t for i in log.intervals for t in (i.start_seconds, i.end_seconds))])
        spans = np.diff(self.moments)
        median = float(np.median(spans))
        most = min(max(_cap(spans), median), _MOST_MEDIANS * median)  # of few spans each takes a greater share
        self.cut = spans > _CUT_FROM * most
        self.places = np.concatenate([[0.0], np.where(self.cut, most, spans).cumsum()])
        self.end = float(self.places[-1])

    def cuts(self) -> Iterator[tuple[int, int]]:
        """Yield the first and the last moment of each run of spans that are cut."""
        edges = np.flatnonzero(np.diff([False, *self.cut, False]))
        yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)

    def at(self, seconds: float) -> float:
        """Return the place of a moment."""
        return float(np.interp(seconds, self.moments, self.places))


def _cap(spans: np.ndarray) -> float:
    """Return the length that is the greatest share of the axis once all longer spans have it."""
    low, high = 0.0, float(spans.max())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle <= _MOST_SHARE * np.minimum(spans, middle).sum() else (low, middle)
    return high


def _bar(axes: Axes, row: int, interval: Interval, clock: _Clock, batch: int) -> None:
    start, end = clock.at(interval.start_seconds), clock.at(interval.end_seconds)
    share = (end - start) / clock.end
    number = interval.step * batch + interval.image + 1
    white = 0.0 if interval.image < 0 else _LIGHT[number % len(_LIGHT)]
    color = tuple(white + (1 - white) * part for part in to_rgb(_COLORS[interval.kind]))
    edge = 0.3 if share > _EDGED_SHARE else 0.0
    axes.barh(row, end - start, left=start, height=0.8, facecolor=color, edgecolor="white", linewidth=edge)
    if interval.image >= 0 and share > _NUMBERED_SHARE:
        place = {"ha": "center", "va": "center_baseline", "fontsize": 5.5, "color": "black"}
        axes.text((start + end) / 2, row, str(number), **place)


def _cuts(axes: Axes, clock: _Clock) -> None:
    """Mark the spans that are cut, with their length."""
    for first, last in clock.cuts():
        left, right = clock.places[first], clock.places[last]
        axes.axvspan(left, right, facecolor="none", edgecolor="0.5", hatch="////", linewidth=0, alpha=0.35)
        length = EngFormatter("s", places=0)(clock.moments[last] - clock.moments[first])
        axes.text((left + right) / 2, -0.7, length, ha="center", va="bottom", fontsize=5.5, color="0.35")


def _ticks(axes: Axes, clock: _Clock) -> None:
    """Label some moments with their time."""
    wanted = np.linspace(0, clock.end, _TICKS)
    chosen = np.unique([np.abs(clock.places - place).argmin() for place in wanted])
    chosen = chosen[np.diff(clock.places[chosen], prepend=-clock.end) > clock.end / (2 * _TICKS)]
    factor, unit = next((f, u) for f, u in _UNITS if f * clock.moments[-1] >= 1 or f == _UNITS[-1][0])
    labels = [f"{factor * moment:.3g}" for moment in clock.moments[chosen]]
    axes.set_xticks(clock.places[chosen], labels, fontsize=6)
    axes.set_xlabel(f"time / {unit}" + ("; hatched spans are cut" if clock.cut.any() else ""))
