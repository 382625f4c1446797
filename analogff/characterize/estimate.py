"""Results of a measurement: numbers with their intervals, or the reason why there are none."""

import dataclasses

import numpy as np
import pandas as pd

from analogff.characterize.measured_twin import MeasuredTwin
from analogff.characterize.statistics import Interval, mean_of, root


class NotMeasurableError(ValueError):
    """A figure cannot be measured from outside on this device; the text is the reason."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """One figure of each chip, or one of all of them, with its 95 % interval."""

    name: str
    """Name of the figure."""
    value: np.ndarray
    """One number for each chip, ``(chips,)``, or ``(1,)`` for a figure of the whole lot."""
    low: np.ndarray
    """Lower ends, like ``value``."""
    high: np.ndarray
    """Upper ends, like ``value``."""
    unit: str
    """Unit; empty for a plain number."""
    n: int
    """Independent parts behind a number, which the interval counts."""
    how: str
    """The method, in words."""
    rms: bool = False
    """Whether it is the root of a mean square, which measurement noise may make negative. Averages over chips use
    the squares, and a negative square is shown as zero."""

    def __post_init__(self):
        for field in ("value", "low", "high"):
            object.__setattr__(self, field, np.atleast_1d(np.asarray(getattr(self, field), dtype=float)))

    def shown(self) -> Interval:
        """Return value and ends for display."""
        interval = Interval(self.value, self.low, self.high)
        return interval.map(lambda part: np.clip(part, 0, None)) if self.rms else interval

    def of_the_lot(self) -> Interval:
        """Return the mean over chips, with Student's t over chips; a single chip has its own interval."""
        if len(self.value) == 1:
            return Interval(*(part[0] for part in self.shown()))
        if not self.rms:
            return mean_of(self.value)
        mean = root(mean_of(np.sign(self.value) * self.value**2))
        return mean.map(lambda part: np.clip(part, 0, None))


@dataclasses.dataclass(frozen=True)
class NotFound:
    """A figure that could not be measured."""

    name: str
    """Name of the figure."""
    why: str
    """Reason why it could not be measured."""


@dataclasses.dataclass(frozen=True)
class Curve:
    """Measured points to be drawn."""

    name: str
    """File name without its ending."""
    x: str
    """Label of the column ``x``."""
    y: str
    """Label of the column ``y``."""
    table: pd.DataFrame
    """Columns ``chip``, ``series``, ``x``, ``y``, ``low``, ``high``."""
    log_x: bool = False
    """Whether ``x`` is drawn on a logarithmic scale."""


@dataclasses.dataclass(frozen=True)
class Found:
    """All results of one measurement."""

    estimates: tuple[Estimate, ...]
    """Figures for the table."""
    curves: tuple[Curve, ...] = ()
    """Points for the drawings."""
    missing: tuple[NotFound, ...] = ()
    """Figures that could not be measured."""
    twin: MeasuredTwin | None = None
    """A model of the chips, if one was fitted."""
