"""Comparison of rules: paired tests over common chips."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analogff.study.case import LINEAR_DIGITAL, NO_DEVICE
from analogff.study.results.names import control_label, controls_in, is_bound, shorten, value_label, variant_labels
from analogff.study.results.summary import CONFIDENCE, last_epochs

SIGNIFICANCE = 1 - CONFIDENCE
COLUMNS = ("better", "worse", "difference", "low", "high", "p", "chips", "apart")


def labeled(
    frame: pd.DataFrame, manifest: Mapping[str, Any], *, controls: bool = False
) -> tuple[pd.DataFrame, list[str]]:
    """Return the last epoch of each run with the label of its rule variant, and the swept paths of several values.

    Controls are left out unless asked for: they have no device, and are nobody's rivals.
    """
    last = last_epochs(frame)
    last = last if controls else last[controls_in(last).isna()]
    swept = [path for path in manifest["study"]["sweep"] if path in last]
    axes = [path for path in swept if last[path].nunique() > 1]
    return shorten(last.assign(variant=variant_labels(last, swept)), axes), axes


def compare(last: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    r"""Compare each pair of rule variants at each swept point, chip by chip.

    .. math:: \bar d \pm t_{0.975,\, n-1}\, \frac{s_d}{\sqrt n}, \qquad
              d_c = \langle e_{A c s} \rangle_s - \langle e_{B c s} \rangle_s

    over the ``n`` common chips ``c``, with the mean over learning seeds ``s``. Chips differ more than rules do, so a
    paired test resolves differences that two intervals over chips do not. All p-values of the table are adjusted
    together by Holm's method; intervals are not adjusted.

    Args:
        last: The last epoch of each run, with a column ``variant``.
        axes: The swept paths.

    Returns:
        A row for each point and pair: the axes, ``better`` and ``worse`` (labels by mean error), ``difference`` with
        ``low`` and ``high`` (points of test error), ``p`` (adjusted), ``chips``, and ``apart``: whether p is below 0.05
        and each learning seed alone has the same sign. Pairs that share fewer than two chips have no interval and are
        not apart.

    Reference:
        Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
    """
    rows = []
    for point, group in _points(last, axes):
        variants = list(dict.fromkeys(group["variant"]))
        errors = {v: group[group["variant"] == v].groupby(["chip", "seed"])["test_error"].mean() for v in variants}
        for first, second in itertools.combinations(variants, 2):
            rows.append(point | _pair(first, second, (errors[first] - errors[second]).dropna()))
    table = pd.DataFrame(rows, columns=[*axes, *COLUMNS])
    table["p"] = holm(table["p"].to_numpy(dtype=np.float64))
    return table.assign(apart=table["apart"].astype(bool) & (table["p"] < SIGNIFICANCE))


def holm(p: np.ndarray) -> np.ndarray:
    r"""Adjust p-values of several tests to control the family-wise error rate.

    .. math:: \tilde p_{(i)} = \max_{j \le i} \min\left(1, (m - j + 1)\, p_{(j)}\right)

    Undefined values stay undefined and do not count.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def sentences(table: pd.DataFrame, last: pd.DataFrame, axes: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each point: the variant of the least error, and those not resolved from it.

    Bounds are excluded. A difference is the excess error of the other variant.
    """
    for point, group in _points(last, axes):
        means = group[~group["variant"].map(is_bound)].groupby("variant", sort=False)["test_error"].mean().dropna()
        if len(means) < 2:
            continue
        best = means.idxmin()
        beside = _at(table, point)
        beside = beside[(beside["better"] == best) & beside["worse"].isin(means.index)]
        close = [_gap(row) for row in beside.sort_values("difference").to_dict("records") if not row["apart"]]
        given = f"not told apart from {'; '.join(close)}" if close else "better than every other rule"
        yield f"{_where(point)}{best} has the least error, {means.min():.2f} %, {given}."


def beaten_by_controls(frame: pd.DataFrame, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each variant, point and control whose mean error is no greater than that of the variant.

    Of the controls that need no hidden layer: against them a device has to show that it computes.
    """
    last, axes = labeled(frame, manifest, controls=True)
    for point, group in _points(last, axes):
        means = group.groupby("variant", sort=False)["test_error"].mean()
        for variant, error in means.items():
            for control in (NO_DEVICE, LINEAR_DIGITAL):
                reference = means.get(control_label(str(variant), control), np.inf)
                if reference <= error:
                    yield f"{_where(point)}{variant}, {error:.2f} %, is no better than {control}, {reference:.2f} %."


def _where(point: dict) -> str:
    given = ", ".join(value_label(axis, value) for axis, value in point.items() if not pd.isna(value))
    return f"At {given}: " if given else ""


def _points(last: pd.DataFrame, axes: Sequence[str]) -> Iterator[tuple[dict, pd.DataFrame]]:
    """Yield each swept point; a variant without a value on an axis is included at all its values."""
    whole = last.dropna(subset=list(axes)) if axes else last
    points = whole[list(axes)].drop_duplicates().to_dict("records") if axes and len(whole) else [{}]
    for point in points:
        fits = np.ones(len(last), dtype=bool)
        for axis, value in point.items():
            fits &= ((last[axis] == value) | last[axis].isna()).to_numpy()
        yield point, last[fits]


def _pair(first: str, second: str, errors: pd.Series) -> dict:
    """Return a row from the differences of errors by chip and seed."""
    from scipy.stats import ttest_1samp

    differences = errors.groupby("chip").mean().to_numpy()
    mean = float(differences.mean()) if len(differences) else np.nan
    if mean > 0:
        first, second, differences, mean = second, first, -differences, -mean
    signs = np.unique(np.sign(errors.groupby("seed").mean()))
    row = {"better": first, "worse": second, "difference": abs(mean), "chips": len(differences)}
    row["apart"] = len(signs) == 1
    if len(differences) < 2:
        return row | {"low": np.nan, "high": np.nan, "p": np.nan}
    if np.ptp(differences) == 0:  # without a spread t is undefined; all chips have the same sign
        return row | {"low": abs(mean), "high": abs(mean), "p": 1.0 if mean == 0 else 0.0}
    test: Any = ttest_1samp(-differences, 0.0)  # its stubs lack pvalue
    interval = test.confidence_interval(CONFIDENCE)
    return row | {"low": float(interval.low), "high": float(interval.high), "p": float(test.pvalue)}


def _at(table: pd.DataFrame, point: dict) -> pd.DataFrame:
    for axis, value in point.items():
        table = table[table[axis] == value]
    return table


def _gap(row: dict) -> str:
    if np.isnan(row["low"]):
        return f"{row['worse']} (+{row['difference']:.2f}, {row['chips']} chip)"
    return f"{row['worse']} (+{row['difference']:.2f} [{row['low']:.2f}, {row['high']:.2f}], p = {row['p']:.2g})"
