"""The dose of a non-ideality at which the accuracy of a rule falls below a share of the ideal's."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from analogff.study.results.summary import CONFIDENCE

SHARE = 0.95
"""Of the accuracy at the least dose, below which a rule has failed."""
LEARNED_PERCENT = 50.0
"""Accuracy at the least dose below which nothing was learned that could be lost."""


@dataclasses.dataclass(frozen=True)
class Failure:
    """Where one rule fails."""

    status: str
    """``falls`` at a dose; ``never`` within the doses measured; ``not learned`` at the least one."""
    dose: float
    """That dose; the greatest one measured if it never falls, and NaN if it has not learned."""
    low: float
    """Lower end of the 95 % interval of the dose over chips; NaN without one."""
    high: float
    """Its upper end."""
    accuracy: float
    """At the least dose, in percent."""
    chips: int
    """Number of chips."""


def failing_dose(errors: pd.DataFrame) -> Failure:
    r"""Return where accuracy falls below `SHARE` of that at the least dose.

    Each chip has its own dose, interpolated between the first two measured ones that it falls between: on a line over
    the logarithm of the dose, or over the dose from 0 on. Their geometric mean is returned, with Student's t of their
    logarithms. Where some chips never fall, the dose is that of the chips' mean accuracy, without an interval. A chip
    without a finite error has an accuracy of 0.

    Args:
        errors: Test errors in percent: a row for each chip, a column for each dose, in ascending order.
    """
    from scipy.stats import t

    doses = errors.columns.to_numpy(dtype=float)
    accuracy = 100 - errors.to_numpy(dtype=float)
    accuracy = np.where(np.isfinite(accuracy), accuracy, 0.0)
    chips, ideal = len(accuracy), float(accuracy[:, 0].mean())
    given: dict[str, Any] = {"accuracy": ideal, "chips": chips, "low": np.nan, "high": np.nan}
    if ideal < LEARNED_PERCENT:
        return Failure("not learned", np.nan, **given)
    mean = crossing(doses, accuracy.mean(0))
    own = np.array([crossing(doses, row) for row in accuracy])
    if np.isnan(mean):
        return Failure("never", doses[-1], **given)
    if np.isnan(own).any() or chips < 2:
        return Failure("falls", mean, **given)
    logs = np.log(own)
    half = t.ppf((1 + CONFIDENCE) / 2, chips - 1) * logs.std(ddof=1) / chips**0.5
    ends: dict[str, Any] = {"low": float(np.exp(logs.mean() - half)), "high": float(np.exp(logs.mean() + half))}
    return Failure("falls", float(np.exp(logs.mean())), **given | ends)


def crossing(doses: np.ndarray, accuracy: np.ndarray) -> float:
    """Return the first dose at which accuracy falls below `SHARE` of its first value; NaN if it never does."""
    limit = SHARE * accuracy[0]
    below = np.flatnonzero(accuracy < limit)
    if not len(below):
        return np.nan
    after = int(below[0])
    upper, lower = accuracy[after - 1], accuracy[after]
    part = (upper - limit) / (upper - lower)
    first, second = doses[after - 1], doses[after]
    return float(first + part * (second - first) if first == 0 else first * (second / first) ** part)
