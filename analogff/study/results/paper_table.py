"""A summary as a table for a paper: rules in rows, the values of one swept path in columns."""

from typing import Any, Literal

import pandas as pd

from analogff.study.results.names import ANY, axis_label, value_label
from analogff.study.results.summary import CONFIDENCE, COSTS

Format = Literal["latex", "markdown", "csv"]
_LATEX = {sign: rf"\{sign}" for sign in "&%#_${}"}
_LATEX |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def paper_table(summary: pd.DataFrame, form: Format, *, costs: bool = False) -> str:
    """Return a summary as text.

    Args:
        summary: As `analogff.study.results.summary.summarize` returns.
        form: ``latex`` (with booktabs), ``markdown`` or ``csv``.
        costs: Whether the costs of training are columns; then each swept point is a row.

    Returns:
        The table, and what its numbers are: in a comment before it in LaTeX, in a sentence below it in Markdown.
    """
    table = _with_costs(summary) if costs else errors_table(summary)
    if form == "csv":
        return table.to_csv(index=False)
    rows = [list(map(str, table.columns)), *(list(map(str, row)) for row in table.itertuples(index=False))]
    return _latex(rows, _caption(summary)) if form == "latex" else _markdown(rows, _caption(summary))


def _caption(summary: pd.DataFrame) -> str:
    """Return what the numbers of a table are."""
    least, most = int(summary["chips"].min()), int(summary["chips"].max())
    chips = f"n = {most} chip{'s' * (most > 1)}" if least == most else f"n = {least} to {most} chips"
    interval = f" [{100 * CONFIDENCE:.0f} % interval over chips, Student's t]" if summary["low"].notna().any() else ""
    return f"Test error in percent: mean of {chips}{interval}."


def _axes(summary: pd.DataFrame) -> list[str]:
    columns = list(map(str, summary.columns))
    return columns[1 : columns.index("mean")]


def errors_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return rules in rows; the last swept path makes the columns, others are columns of their own.

    A row that has no such path, as controls and rules without a swept option, stands under "any".

    Args:
        summary: As `analogff.study.results.summary.summarize` returns.
    """
    axes = _axes(summary)
    cells = summary.assign(error=[_interval(row) for row in summary.to_dict("records")])
    if not axes:
        return cells[["rule", "error"]].rename(columns={"error": "test error / %"})
    *rest, across = axes
    wide = cells.pivot_table(
        index=["rule", *rest], columns=across, values="error", aggfunc="first", sort=False, dropna=False
    ).dropna(how="all")
    wide = wide.set_axis([value_label(across, value) for value in wide.columns], axis="columns")
    wide = wide.fillna("").reset_index()
    for axis in rest:
        wide[axis] = wide[axis].map(_value)
    return wide.rename(columns={axis: axis_label(axis) for axis in rest})


def _with_costs(summary: pd.DataFrame) -> pd.DataFrame:
    cells = summary.assign(error=[_interval(row) for row in summary.to_dict("records")])
    for axis in _axes(summary):
        cells[axis] = cells[axis].map(_value)
    for cost in COSTS:
        cells[cost] = [f"{value:.3g}" for value in cells[cost]]
    named = {axis: axis_label(axis) for axis in _axes(summary)} | {"error": "test error / %"}
    named |= {cost: cost.replace("device_", "device ").replace("_", " ") for cost in COSTS}
    return cells[["rule", *_axes(summary), "error", *COSTS]].rename(columns=named)


def _value(value: Any) -> Any:
    if pd.isna(value):
        return ANY
    return f"{value:g}" if isinstance(value, float) else value


def _interval(row: Any) -> str:
    bounds = "" if pd.isna(row["low"]) else f" [{row['low']:.2f}, {row['high']:.2f}]"
    return f"{row['mean']:.2f}{bounds}"


def _latex(rows: list[list[str]], caption: str) -> str:
    lines = [" & ".join("".join(_LATEX.get(c, c) for c in cell) for cell in row) + r" \\" for row in rows]
    columns = "l" + "r" * (len(rows[0]) - 1)
    return "\n".join(
        [
            rf"% {caption} Needs \usepackage{{booktabs}}.",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _markdown(rows: list[list[str]], caption: str) -> str:
    head, *body = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body, "", caption, ""])
