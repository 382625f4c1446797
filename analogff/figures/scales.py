"""Scales and ticks of axes."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import (
    EngFormatter,
    FixedFormatter,
    FixedLocator,
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
)

from analogff.study.read.figure import AxisChoice

PLAIN = FuncFormatter(lambda value, _: f"{value:g}")
_ALIKE = 6
"""Greatest ratio of errors on a linear axis, which begins at 0."""
_BELOW = 3
"""Factor by which a logarithmic axis extends below all means to show intervals."""
_MOST_TICKS = 6


@dataclasses.dataclass(frozen=True)
class ErrorScale:
    """The axis of errors in percent: logarithmic for a large ratio, ending near 100 at most."""

    bottom: float
    top: float
    logarithmic: bool

    @classmethod
    def of(
        cls, means: np.ndarray, lows: np.ndarray, highs: np.ndarray, choice: AxisChoice | None = None
    ) -> "ErrorScale | None":
        """Choose the axis so that means fit, and their intervals down to a factor below all means.

        Args:
            means: Errors; returns None if none is positive.
            lows: Lower ends of their intervals, which may be 0 or NaN.
            highs: Upper ends.
            choice: What a user chose instead.
        """
        scale = cls._by_numbers(means, lows, highs)
        if scale is None or choice is None:
            return scale
        if choice.scale == "linear" and scale.logarithmic:
            scale = cls(0.0, scale.top, False)
        elif choice.scale == "log" and not scale.logarithmic:
            scale = cls(float(means[means > 0].min() / 1.25), scale.top * 1.25, True)
        if choice.limits is None:
            return scale
        bottom, top = choice.limits
        return cls(bottom if bottom > 0 or not scale.logarithmic else scale.bottom, top, scale.logarithmic)

    @classmethod
    def _by_numbers(cls, means: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> "ErrorScale | None":
        means = means[np.isfinite(means) & (means > 0)]
        if not len(means):
            return None
        highest = np.nanmax(np.append(means, highs))
        if means.max() <= _ALIKE * means.min():
            return cls(0.0, float(min(highest * 1.08, max(100.0, means.max()))), False)
        lows = lows[lows > means.min() / _BELOW]
        bottom = np.append(lows / 1.08, means.min() / 1.25).min()
        return cls(float(bottom), float(min(max(means.max() * 1.25, highest * 1.08), 105.0)), True)

    def apply(self, axes: Axes, which: Literal["x", "y"] = "y") -> None:
        """Scale an axis."""
        axis: Axis = getattr(axes, f"{which}axis")
        if self.logarithmic:
            getattr(axes, f"set_{which}scale")("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(PLAIN)
            axis.set_minor_formatter(NullFormatter())
        getattr(axes, f"set_{which}lim")(self.bottom, self.top)

    def below(self, means: np.ndarray, lows: np.ndarray) -> np.ndarray:
        """Return which intervals or points extend below the axis; none does on an axis from 0."""
        return (means < self.bottom) | (lows < self.bottom)

    def above(self, means: np.ndarray, highs: np.ndarray) -> np.ndarray:
        """Return which intervals or points extend above the axis."""
        return (means > self.top) | (highs > self.top)


def choose_axis(panels: Sequence[Axes], choice: AxisChoice, which: Literal["x", "y"] = "x") -> None:
    """Scale, limit and label an axis of all panels as a user chose."""
    for axes in panels:
        axis: Axis = getattr(axes, f"{which}axis")
        if choice.label is not None and axis.label.get_text():
            axis.label.set_text(choice.label)
    if choice.scale is not None and panels:
        getattr(panels[0], f"set_{which}scale")(choice.scale)
        axis = getattr(panels[0], f"{which}axis")
        axis.set_major_formatter(PLAIN)
        axis.set_minor_formatter(NullFormatter())
    if choice.limits is not None and panels:
        getattr(panels[0], f"set_{which}lim")(*choice.limits)


def scale_values(axes: Axes, values: np.ndarray) -> None:
    """Scale a swept axis, with ticks at its values if they fit; ``values`` are distinct and ascending."""
    positive = values[values > 0]
    wide = len(positive) > 1 and positive[-1] >= 50 * positive[0] and values[0] >= 0
    if wide and values[0] > 0:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif wide:
        scale_from_zero(axes, positive[0], positive[-1])
    if not (wide and values[0] == 0) and len(values) <= _MOST_TICKS:
        axes.xaxis.set_major_locator(FixedLocator(values.tolist()))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(PLAIN)


def scale_costs(axes: Axes, costs: np.ndarray, unit: str = "") -> None:
    """Scale an axis of costs logarithmically, with a place for 0, the count of a rule without reads."""
    positive = costs[costs > 0]
    if (costs > 0).all():
        axes.set_xscale("log")
        narrow = positive.max() < 30 * positive.min()
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
    else:
        scale_from_zero(axes, positive.min(), positive.max())
    axes.xaxis.set_major_formatter(EngFormatter(unit, sep="\N{THIN SPACE}" if unit else ""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def scale_from_zero(axes: Axes, least: float, most: float) -> None:
    """Use a logarithmic axis with a place for 0 at its left."""
    axes.set_xscale("symlog", linthresh=least, linscale=0.6)
    axes.set_xlim(-0.35 * least, most * (most / least) ** 0.08)
    axes.xaxis.set_major_locator(FixedLocator([0.0, *_round_numbers(least, most)]))
    axes.xaxis.set_minor_locator(NullLocator())


def _round_numbers(least: float, most: float) -> np.ndarray:
    """Return at most four powers of ten in a range, or at most two multiples of them in a narrow one."""
    decades = 10.0 ** np.arange(np.floor(np.log10(least)), np.floor(np.log10(most)) + 1)
    inside, fitting = decades[decades >= least], 4
    if len(inside) < 2:
        inside, fitting = np.array([decade * digit for decade in decades for digit in (1, 2, 5)]), 2
        inside = inside[(inside >= least) & (inside <= most)]
    return inside[:: -(-len(inside) // fitting) or 1]


def write_names(axis: Axis, names: Sequence[str], **how: Any) -> None:
    """Label an axis with names at 0, 1, ..., all of which `thin_out` leaves; `how` are properties of their text."""
    axis.set_ticks(range(len(names)), names, **how)
    axis.set_major_formatter(FixedFormatter(names))


def thin_out(figure: Figure) -> None:
    """Remove tick labels of numbers that would touch their neighbors, after the layout."""
    figure.draw_without_rendering()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not isinstance(axis.get_major_formatter(), FixedFormatter):  # an axis of names keeps all labels
                _thin_out(axis)


def _thin_out(axis: Axis) -> None:
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    labels = [tick.label1 for tick in ticks if tick.label1.get_text() and tick.label1.get_visible()]
    every = next((n for n in range(1, len(labels) + 1) if not _touch(labels[::n])), 1)
    if every == 1:
        return
    kept = [label.get_text() if n % every == 0 else "" for n, label in enumerate(labels)]
    at = [tick.get_loc() for tick in ticks if tick.label1 in labels]
    axis.set_major_locator(FixedLocator(at))
    axis.set_major_formatter(FixedFormatter(kept))


def _touch(labels: list[Text]) -> bool:
    boxes = [label.get_window_extent().expanded(1.1, 1.0) for label in labels]
    return any(one.overlaps(next_one) for one, next_one in itertools.pairwise(boxes))
