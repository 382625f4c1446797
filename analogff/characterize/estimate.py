"""What a measurement gives: numbers with their intervals, or the reason why there are none."""

import dataclasses

import numpy as np
import pandas as pd

from analogff.characterize.measured_twin import MeasuredTwin
from analogff.characterize.statistics import Interval, mean_of, root


class NotMeasurableError(ValueError):
    """A figure that this device does not let anybody measure from outside; the text says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """One figure of each chip, or one of all of them, with its 95 % interval."""

    name: str
    """What was measured."""
    value: np.ndarray
    """One number a chip, ``(chips,)``, or ``(1,)`` for a figure of the whole lot."""
    low: np.ndarray
    """Lower ends, like ``value``."""
    high: np.ndarray
    """Upper ends, like ``value``."""
    unit: str
    """Unit; empty for a plain number."""
    n: int
    """Independent parts behind a number: what the interval counts."""
    how: str
    """The method, in words."""
    rms: bool = False
    """Whether it is the root of a mean square, which noise of measurement may have taken below zero: squares are what
    to average over chips, and below zero means zero."""

    def __post_init__(self):
        for field in ("value", "low", "high"):
            object.__setattr__(self, field, np.atleast_1d(np.asarray(getattr(self, field), dtype=float)))

    def shown(self) -> Interval:
        """Return value and ends as they are to be read."""
        interval = Interval(self.value, self.low, self.high)
        return interval.map(lambda part: np.clip(part, 0, None)) if self.rms else interval

    def of_the_lot(self) -> Interval:
        """Return the mean over chips, with Student's t over chips; a single one with its own interval."""
        if len(self.value) == 1:
            return Interval(*(part[0] for part in self.shown()))
        if not self.rms:
            return mean_of(self.value)
        mean = root(mean_of(np.sign(self.value) * self.value**2))
        return mean.map(lambda part: np.clip(part, 0, None))


@dataclasses.dataclass(frozen=True)
class Missing:
    """A figure that could not be measured."""

    name: str
    """What was to be measured."""
    why: str
    """Why it could not be."""


@dataclasses.dataclass(frozen=True)
class Curve:
    """Measured points to be drawn."""

    name: str
    """File name without its ending."""
    x: str
    """What the column ``x`` is."""
    y: str
    """What the column ``y`` is."""
    table: pd.DataFrame
    """Columns ``chip``, ``series``, ``x``, ``y``, ``low``, ``high``."""
    log_x: bool = False
    """Whether ``x`` is drawn on a logarithmic scale."""


@dataclasses.dataclass(frozen=True)
class Found:
    """All that one measurement found out."""

    estimates: tuple[Estimate, ...]
    """Figures for the table."""
    curves: tuple[Curve, ...] = ()
    """Points for the drawings."""
    missing: tuple[Missing, ...] = ()
    """Figures that were looked for in vain."""
    twin: MeasuredTwin | None = None
    """A model of the chips, where one was fitted."""
