"""Aggregation of runs to plotted numbers."""

from collections.abc import Sequence

import pandas as pd

from analogff.study.results.summary import interval_over_chips


def intervals(
    frame: pd.DataFrame, by: Sequence[str], also: Sequence[str] = (), column: str = "test_error"
) -> pd.DataFrame:
    """Return mean error and its 95 % interval over chips for each group.

    Args:
        frame: Results. Each chip counts once, as the mean over its learning seeds.
        by: Columns that define a group.
        also: Further columns to average over the group.
        column: The error.

    Returns:
        Columns ``by``, ``also``, ``mean, low, high, chips`` and ``diverged`` (runs), sorted as ``by``.
    """
    rows = []
    for point, group in frame.groupby(list(by), sort=True, observed=True):
        mean, low, high, chips = interval_over_chips(group, column)
        row = dict(zip(by, point, strict=True)) | {other: group[other].mean() for other in also}
        row |= {"mean": mean, "low": low, "high": high, "chips": chips}
        rows.append(row | {"diverged": int(group["diverged"].sum())})
    return pd.DataFrame(rows)


def everywhere(frame: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """Repeat runs that an axis does not affect (null there) at each of the axis's values."""
    for axis in axes:
        unconcerned = frame[axis].isna()
        if unconcerned.any() and not unconcerned.all():
            values = frame.loc[~unconcerned, [axis]].drop_duplicates()
            repeated = frame[unconcerned].drop(columns=axis).merge(values, how="cross")
            frame = pd.concat([frame[~unconcerned], repeated], ignore_index=True)
    return frame
