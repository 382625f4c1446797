"""The tables of a study's numbers: errors, paired tests, costs and where energy goes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analogff.report.table import Table, cell, interval, quantity
from analogff.study.results.comparison import beaten_by_controls, compare, labeled, sentences
from analogff.study.results.names import axis_label, value_label
from analogff.study.results.paper_table import errors_table
from analogff.study.results.summary import COSTS, unchanged_axes

MOST_COMPARED = 200
"""Swept points up to which rules are compared."""
_COST_NAMES = {"device_seconds": "device / s", "device_joules": "device / J"}
_PARTS = {
    "chip_joules": "arrays and neurons",
    "converter_joules": "converters",
    "write_joules": "writes",
    "digital_joules": "digital logic",
    "memory_joules": "memory",
}


def errors(summary: pd.DataFrame) -> Table:
    """Return the test error of each rule and swept point, with its interval over chips; see `errors_table`."""
    wide = errors_table(summary)
    rows = [list(map(cell, row)) for row in wide.itertuples(index=False)]
    return Table.of(list(map(str, wide.columns)), rows, max(1, len(_axes(summary))))


def errors_over_seeds(summary: pd.DataFrame) -> Table | None:
    """Return the same with its interval over learning seeds; None for one seed."""
    if (summary["seeds"] < 2).all():
        return None
    bounds = {"low": summary["seed_low"], "high": summary["seed_high"]}
    return errors(summary.assign(**bounds))


def counted(summary: pd.DataFrame, unit: str) -> str:
    """Return how many chips or seeds the intervals are over."""
    least, most = summary[unit].min(), summary[unit].max()
    return f"{most} {unit}" if least == most else f"{least} to {most} {unit}"


def costs(summary: pd.DataFrame) -> Table:
    """Return the mean costs of a training."""
    axes = _axes(summary)
    ends = "stopped_by" in summary
    headers = ["rule", *map(axis_label, axes), *(_COST_NAMES.get(c, c) for c in COSTS), *["stopped by"] * ends]
    rows = [
        [row["rule"], *(cell(row[axis]) for axis in axes), *(quantity(row[cost]) for cost in COSTS)]
        + [str(row.get("stopped_by", "")).replace("_", " ")] * ends
        for row in summary.to_dict("records")
    ]
    return Table.of(headers, rows, 1 + len(axes))


def energy(frame: pd.DataFrame, manifest: Mapping[str, Any]) -> Table | None:
    """Return the energy of a training and the share of each component, mean of runs; None for older records."""
    last, axes = labeled(frame, manifest, controls=True)
    if "system_joules" not in last or not set(_PARTS) <= {*last}:
        return None
    rows = []
    for point, group in last.groupby(["variant", *axes], dropna=False, sort=False):
        total = group["system_joules"].mean()
        shares = [f"{100 * group[part].mean() / total:.3g} %" if total > 0 else "–" for part in _PARTS]
        rows.append([*map(cell, point), quantity(total), *shares])
    return Table.of(["rule", *map(axis_label, axes), "system / J", *_PARTS.values()], rows, 1 + len(axes))


def pairs(frame: pd.DataFrame, manifest: Mapping[str, Any]) -> tuple[list[str], Table | None]:
    """Return a sentence on the best rule of each point, and the table of all pairs; none for too many points."""
    last, axes = labeled(frame, manifest)
    if len(last[axes].drop_duplicates()) > MOST_COMPARED or last["variant"].nunique() < 2:
        return [], None
    table = compare(last, axes)
    headers = [*map(axis_label, axes), "better", "worse", "by / points", "p", "chips", "told apart"]
    rows = [
        [*(cell(row[axis]) for axis in axes), row["better"], row["worse"]]
        + [interval(row["difference"], row["low"], row["high"]), _p(row["p"])]
        + [str(row["chips"]), "yes" if row["apart"] else "no"]
        for row in table.to_dict("records")
    ]
    return list(sentences(table, last, axes)), Table.of(headers, rows, len(axes) + 2)


def warnings(
    frame: pd.DataFrame, manifest: Mapping[str, Any], events: pd.DataFrame | None = None
) -> dict[str, list[str]]:
    """Return what a reader should be warned of, by heading: what diverged, what is missing, what changed nothing."""
    missing = len(set(manifest["runs"]) - set(frame["run"]))
    found = {
        "Missing": [f"{missing} of {len(manifest['runs'])} runs are not finished. The numbers below are of the others."]
        * bool(missing),
        "Diverged": diverged(frame, manifest),
        "No better than a control": list(beaten_by_controls(frame, manifest)),
        "Swept without effect": [
            f"{axis_label(axis)}: every number is the same at each of its values."
            for axis in unchanged_axes(frame, list(manifest["study"]["sweep"]), events)
        ],
    }
    return {heading: lines for heading, lines in found.items() if lines}


def diverged(frame: pd.DataFrame, manifest: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each rule and point of which chips diverged."""
    last, axes = labeled(frame, manifest, controls=True)
    lines = []
    for point, group in last.groupby(["variant", *axes], dropna=False, sort=False):
        if failed := int(group["diverged"].sum()):
            values: Any = zip(axes, point[1:], strict=True)
            at = ", ".join(value_label(axis, value) for axis, value in values if not pd.isna(value))
            chips = ", ".join(map(str, sorted(group.loc[group["diverged"], "chip"].unique())))
            lines.append(f"{point[0]}{f' at {at}' if at else ''}: {failed} of {len(group)} runs, chips {chips}.")
    return lines


def _axes(summary: pd.DataFrame) -> Sequence[str]:
    columns = list(map(str, summary.columns))
    return columns[1 : columns.index("mean")]


def _p(value: float) -> str:
    return "–" if pd.isna(value) else "< 0.0001" if value < 1e-4 else f"{value:.2g}"
