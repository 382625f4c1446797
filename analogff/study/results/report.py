"""What a run says at the end: a table, and what a reader should be warned of."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from analogff.study.results.comparison import beaten_by_controls, compare, labeled, sentences
from analogff.study.results.summary import summarize, unchanged_axes
from analogff.support.console import say, table_of

_MEASURED = (
    "mean",
    "low",
    "high",
    "chips",
    "seed_low",
    "seed_high",
    "seeds",
    "diverged",
    "reads",
    "pulses",
    "device_seconds",
    "device_joules",
    "stopped_by",
)
_COSTS = {"reads": "reads", "pulses": "pulses", "device_seconds": "device s", "device_joules": "device J"}
_LEAST_FIRST = ("device_seconds", "pulses", "device_joules", "reads", "chips")
"""What a narrow terminal can do without, and in which order."""
_READABLE, _ENDLESS = 20, 10_000  # characters
_PAIRS = "Difference of test errors, 95 % interval over chips that both taught; p by Holm's method over all rows"
_VERDICTS, _COMPARED = 8, 200
"""Most points of which a sentence is printed, and most that are compared without being asked."""
_TEST = "Which rule is best (paired t-test over chips, p by Holm's method, bounds left out):"
_BEATEN = "Warning: these do not show that their device computes, since a control does as well without it:"
_TITLE = "Test error at the last epoch, 95 % interval over chips"


def report(frame: pd.DataFrame, manifest: Mapping[str, Any], console: Console) -> None:
    """Print the results table, which rules are told apart, and warnings: of controls, and of paths without effect."""
    print_results(summarize(frame, manifest), console)
    print_verdicts(frame, manifest, console)
    beaten = list(beaten_by_controls(frame, manifest))
    if beaten:
        say(console, _BEATEN)
    for sentence in beaten[:_VERDICTS]:
        say(console, f"  {sentence}")
    for axis in unchanged_axes(frame, list(manifest["study"]["sweep"])):
        say(
            console,
            f"Warning: the sweep over {axis} changed nothing: every number is the same at each of its values. Is it "
            "the path you meant?",
        )


def print_verdicts(frame: pd.DataFrame, manifest: Mapping[str, Any], console: Console) -> None:
    """Print a sentence a swept point on the best rule and those not told apart from it, for the first few points."""
    last, axes = labeled(frame, manifest)
    if len(last[axes].drop_duplicates()) > _COMPARED:
        return
    said = list(sentences(compare(last, axes), last, axes))
    if said:
        say(console, _TEST)
    for sentence in said[:_VERDICTS]:
        say(console, f"  {sentence}")
    if len(said) > _VERDICTS:
        say(console, f"  {len(said) - _VERDICTS} more points: `analogff compare DIR` shows all.")


def print_pairs(pairs: pd.DataFrame, axes: Sequence[str], console: Console) -> None:
    """Print a comparison as a table, a row a pair and swept point."""
    columns = [Column(name, overflow="fold") for name in (*axes, "better", "worse")]
    columns += [Column(name, justify="right", no_wrap=True) for name in ("by / points", "p", "chips", "told apart")]
    rows = [
        [*(_cell(row[axis]) for axis in axes), row["better"], row["worse"]]
        + [f"{row['difference']:.2f} {_bounds(row['low'], row['high'])}".rstrip()]
        + ["-" if pd.isna(row["p"]) else f"{row['p']:.2g}", str(row["chips"]), "yes" if row["apart"] else "no"]
        for row in pairs.to_dict("records")
    ]
    console.print(table_of(columns, rows, title=Text(_PAIRS)))


def print_results(summary: pd.DataFrame, console: Console) -> None:
    """Print a summary with as many of its columns as the terminal has room for, none of them cut."""
    dropped = ["diverged"] * (not summary["diverged"].any())
    left_out: list[str] = []
    spare = _room_in_names(summary)
    table = results_table(summary, dropped)
    for column in _LEAST_FIRST:
        if console.measure(table, options=console.options.update(width=_ENDLESS)).maximum - spare <= console.width:
            break
        left_out.append(column)
        table = results_table(summary, dropped + left_out)
    console.print(table)
    if left_out:
        names = ", ".join(_COSTS.get(column, column) for column in left_out)
        say(console, f"Left out, since {console.width} columns hold no more: {names}. The results have them.")


def print_then_and_now(
    trained: pd.DataFrame, errors: pd.DataFrame, manifest: Mapping[str, Any], console: Console
) -> None:
    """Print the errors of kept chips as they were after training, and as they are under other conditions."""
    trained = trained[trained["run"].isin(errors["run"])]
    now = trained.drop(columns="test_error").merge(errors[["run", "test_error"]], on="run")
    then, summary = summarize(trained, manifest), summarize(now, manifest)
    named = _names(summary)
    columns = [Column(name, overflow="fold") for name in named]
    columns += [Column(name, justify="right", no_wrap=True) for name in ("as trained / %", "now / %", "chips")]
    rows = [
        [*(_cell(row[name]) for name in named), _interval(before), _interval(row), str(row["chips"])]
        for before, row in zip(then.to_dict("records"), summary.to_dict("records"), strict=True)
    ]
    console.print(table_of(columns, rows, title=Text("Test error, 95 % interval over chips")))


def results_table(summary: pd.DataFrame, dropped: Collection[str] = ()) -> Table:
    """Return a summary as a table for a terminal; names may go on in the next line, numbers never."""
    named = _names(summary)
    columns = [Column(name.removeprefix("rule."), overflow="fold") for name in named]
    kept = [name for name in ("chips", *_COSTS, "diverged") if name not in dropped]
    seeds = ["over seeds"] * bool((summary["seeds"] > 1).any())
    headers = ["error / %", *seeds, *(_COSTS.get(name, name) for name in kept)]
    columns += [Column(header, justify="right", no_wrap=True) for header in headers]
    ends = ["stopped_by"] * ("stopped_by" in summary)
    columns += [Column("stopped by", overflow="fold")] * len(ends)
    rows = [
        [*(_cell(row[name]) for name in named), _interval(row)]
        + [_bounds(row["seed_low"], row["seed_high"])] * len(seeds)
        + [_number(name, row[name]) for name in kept]
        + [row[name].replace("_", " ") for name in ends]
        for row in summary.to_dict("records")
    ]
    costs = any(name in kept for name in _COSTS)
    return table_of(columns, rows, title=Text(f"{_TITLE}; costs of training, mean of a run" if costs else _TITLE))


def _room_in_names(summary: pd.DataFrame) -> int:
    """Return the characters that are saved where long names go on in the next line."""
    longest = [max(len(name), *map(len, map(_cell, summary[name]))) for name in _names(summary)]
    return sum(max(0, length - _READABLE) for length in longest)


def _names(summary: pd.DataFrame) -> list[str]:
    return [column for column in map(str, summary) if column not in _MEASURED]


def _number(name: str, value: float) -> str:
    return f"{value:.3g}" if name in _COSTS else str(value)


def _interval(row: Any) -> str:
    return f"{row['mean']:.2f} {_bounds(row['low'], row['high'])}".rstrip()


def _bounds(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"[{low:.2f}, {high:.2f}]"


def _cell(value: object) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
