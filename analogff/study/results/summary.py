"""Summary of results: means over chips with intervals, and axes without effect."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from analogff.study.results.names import shorten, variant_labels
from analogff.training.epoch import NUMBERS

CONFIDENCE = 0.95
COSTS = ("reads", "pulses", "device_seconds", "device_joules")


def summarize(frame: pd.DataFrame, manifest: Mapping[str, Any]) -> pd.DataFrame:
    r"""Return one row for each rule variant and swept point, in the order of the study.

    .. math:: \bar e \pm t_{0.975,\, n-1}\, s / \sqrt n

    over the ``n`` chips, each the mean over its learning seeds at its last epoch. A claim generalizes to chips, and
    seeds on one chip are not independent.

    Args:
        frame: Results, as `analogff.study.results.store.load_results` returns.
        manifest: The manifest of the study, for its swept paths.

    Returns:
        Columns ``rule`` (with the options that tell its variants apart), the swept paths, then ``mean, low, high``
        (percent test error; no interval for one chip), ``chips``, ``seed_low, seed_high, seeds`` (the interval over
        learning seeds, each the mean over its chips; none for one seed), ``diverged`` (runs), and the mean ``reads,
        pulses, device_seconds, device_joules`` of a run. A study with a budget also has ``stopped_by``: the limits that
        its runs reached.
    """
    last: Any = last_epochs(frame)  # pandas' annotations are incomplete
    swept = [path for path in manifest["study"]["sweep"] if path in last]
    last = shorten(last.assign(rule=variant_labels(last, swept)), swept)
    by = ["rule", *swept]
    limited = bool(manifest["study"].get("budget")) and "stopped_by" in last
    rows = []
    for point, group in last.groupby(by, dropna=False, sort=False):
        mean, low, high, chips = interval_over_chips(group)
        row = dict(zip(by, point, strict=True)) | {"mean": mean, "low": low, "high": high, "chips": chips}
        row |= dict(zip(("seed_low", "seed_high", "seeds"), interval_over(group, "seed")[1:], strict=True))
        row["diverged"] = int(group["diverged"].sum())
        ends = {"stopped_by": ", ".join(group["stopped_by"].unique())} if limited else {}
        rows.append(row | {cost: group[cost].mean() for cost in COSTS} | ends)
    return pd.DataFrame(rows)


def interval_over_chips(
    group: pd.DataFrame, column: str = "test_error", most: float = 100.0, least: float = 0.0
) -> tuple[float, float, float, int]:
    """Return mean, lower and upper bound, and the number of chips; see `interval_over`."""
    return interval_over(group, "chip", column, most, least)


def interval_over(
    group: pd.DataFrame,
    unit: Literal["chip", "seed"],
    column: str = "test_error",
    most: float = 100.0,
    least: float = 0.0,
) -> tuple[float, float, float, int]:
    """Return mean, lower and upper bound (Student's t over the means of units), and the number of units.

    Bounds are clipped to ``least`` and ``most``, by default those of a percentage. A unit without a finite number is
    excluded from the mean and the count.
    """
    from scipy.stats import t

    means = np.asarray(group.groupby(unit)[column].mean(), dtype=np.float64)
    means = means[np.isfinite(means)]
    if len(means) < 2:
        return (float(means.mean()) if len(means) else np.nan), np.nan, np.nan, len(means)
    half = t.ppf((1 + CONFIDENCE) / 2, len(means) - 1) * means.std(ddof=1) / len(means) ** 0.5
    low, high = np.clip([means.mean() - half, means.mean() + half], least, most)
    return float(means.mean()), float(low), float(high), len(means)


def last_epochs(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the last row of each run, in the order of the frame."""
    return frame.loc[frame.groupby("run", sort=False)["epoch"].idxmax()]


def unchanged_axes(frame: pd.DataFrame, axes: Sequence[str], events: pd.DataFrame | None = None) -> list[str]:
    """Return the swept paths that changed no number of any run, in training or in the events after it."""
    last = last_epochs(frame)
    if events is not None:
        numbers = ["event", "reads", "pulses", "validation_error", "test_error"]
        lives = pd.util.hash_pandas_object(events[numbers], index=False).groupby(events["run"]).sum()
        last = last.assign(life=last["run"].map(lives))
    return [axis for axis in axes if axis in last and _changed_nothing(last.dropna(subset=[axis]), axis, axes)]


def _changed_nothing(last: Any, axis: str, axes: Sequence[str]) -> bool:
    own_option = f"rule.{axis.rpartition('.')[2]}" if axis.startswith("rule.") else axis
    named = {"rule", "control", "chip", "seed", *axes, *(c for c in last if c.startswith("rule."))}
    others = [c for c in last if c in named - {axis, own_option}]
    groups = last.groupby(others, dropna=False)
    several = groups[axis].transform("nunique") > 1
    if not several.any():
        return False
    numbers = [name for name in (*NUMBERS, "life") if name in last]  # a record may be older than a column
    spread = last[several].groupby(others, dropna=False)[numbers].nunique(dropna=False)
    return bool((spread <= 1).to_numpy().all())
