"""What training has cost when a run first reaches a test error."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

COUNTED = (
    "epoch",
    "reads",
    "conversions",
    "pulses",
    "device_seconds",
    "device_joules",
    "digital_macs",
    "digital_bytes",
    "system_seconds",
    "system_joules",
    "chip_joules",
    "converter_joules",
    "write_joules",
    "digital_joules",
    "memory_joules",
)
"""Cumulative columns, which are interpolated."""
_LEAST_PERCENT = 0.01
"""An error below counts as this, since a logarithm needs one; of 10,000 images it is a single one."""


def at_target(frame: pd.DataFrame, target: float) -> pd.DataFrame:
    r"""Return one row for each run: how it stands where its test error is first at most a target.

    .. math:: t = t_{k-1} \left(\frac{t_k}{t_{k-1}}\right)^s, \qquad s = \frac{\ln(e_{k-1} / T)}{\ln(e_{k-1} / e_k)}

        c = c_{k-1} + (c_k - c_{k-1}) \frac{t - t_{k-1}}{t_k - t_{k-1}}

    for the first evaluation ``k`` with an error ``e_k <= T``, at epoch ``t_k``: between two evaluations the error is a
    power of the epoch, and costs are linear in it. Where that evaluation is the first one of all, or the one before has
    no finite error, ``c = c_k``. A run that never reaches the target has its last row: a lower bound of its costs.

    Args:
        frame: Results, with one row for each run and evaluation.
        target: Percent.

    Returns:
        The columns of the frame, with interpolated ``test_error`` and `COUNTED`, and ``reached``.
    """
    runs = frame.sort_values("epoch", kind="stable").groupby("run", sort=False)
    return pd.DataFrame(list(_rows(runs, target))).sort_index().reset_index(drop=True)


def _rows(runs: "pd.api.typing.DataFrameGroupBy", target: float) -> Iterator[pd.Series]:
    for _, run in runs:
        below = np.flatnonzero(run["test_error"].to_numpy(dtype=float) <= target)
        row = run.iloc[below[0] if len(below) else -1]
        if len(below) and below[0]:
            row = _between(run.iloc[below[0] - 1], row, target)
        yield pd.concat([row, pd.Series({"reached": bool(len(below))})]).rename(run.index[0])


def _between(before: pd.Series, after: pd.Series, target: float) -> pd.Series:
    """Return the later row, with error and costs where the curve between both crosses the target."""
    if not np.isfinite(before["test_error"]):
        return after
    fall = np.log(before["test_error"] / max(after["test_error"], _LEAST_PERCENT))
    share = np.log(before["test_error"] / target) / fall
    epoch = before["epoch"] * (after["epoch"] / before["epoch"]) ** share
    passed = (epoch - before["epoch"]) / (after["epoch"] - before["epoch"])
    row = after.copy()
    row["test_error"] = target
    for column in (name for name in COUNTED if name in row):
        row[column] = before[column] + passed * (after[column] - before[column])
    return row
