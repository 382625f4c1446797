"""What a run says at the end: a table, and what a reader should be warned of."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from analogff.study.results.comparison import beaten_by_controls, compare, labeled, sentences
from analogff.study.results.lives import LAST_EPOCH, at_end_of_life, judged_when
from analogff.study.results.names import value_label
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
_TESTED = ("by / points", "p", "told apart")
_VERDICTS, _COMPARED = 8, 200
"""Most points of which a sentence is printed, and most that are compared without being asked."""
_TEST = "Which rule is best (paired t-test over chips, p by Holm's method, bounds left out):"
_BEATEN = "Warning: these do not show that their device computes, since a control does as well without it:"
_TITLE = "Test error {when}, 95 % interval over chips"


def report(
    frame: pd.DataFrame, manifest: Mapping[str, Any], console: Console, events: pd.DataFrame | None = None
) -> None:
    """Print the results table, which rules are told apart, and warnings: of controls, and of paths without effect."""
    trained, frame = frame, at_end_of_life(frame, manifest, events)
    print_results(summarize(frame, manifest), console, judged_when(manifest))
    print_verdicts(frame, manifest, console)
    beaten = list(beaten_by_controls(frame, manifest))
    if beaten:
        say(console, _BEATEN)
    for sentence in beaten[:_VERDICTS]:
        say(console, f"  {sentence}")
    for axis in unchanged_axes(trained, list(manifest["study"]["sweep"]), events):
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
        say(console, f"  {len(said) - _VERDICTS} more: `analogff compare DIR` shows all points.")


def print_pairs(pairs: pd.DataFrame, axes: Sequence[str], console: Console) -> None:
    """Print a comparison as a table, a row a pair and swept point; a table a point where the terminal is narrow."""
    table = table_of(_columns((*axes, "better", "worse"), (*_TESTED, "chips")), _pair_rows(pairs, axes))
    if console.measure(table, options=console.options.update(width=_ENDLESS)).maximum <= console.width:
        table.title = Text(_PAIRS)
        console.print(table)
        return
    say(console, f"{_PAIRS}.")
    for point, group in pairs.groupby(list(axes), dropna=False, sort=False) if axes else [((), pairs)]:
        values: Any = zip(axes, point, strict=True)
        at = ", ".join(value_label(axis, value) for axis, value in values if not pd.isna(value))
        rows = (row[:-1] for row in _pair_rows(group, ()))
        given = {"title": Text(f"At {at}"), "title_justify": "left"} if at else {}
        console.print(table_of(_columns(("better", "worse"), _TESTED), rows, box=SIMPLE, padding=(0, 1), **given))


def _columns(names: Sequence[str], numbers: Sequence[str]) -> list[Column]:
    columns = [Column(name, overflow="fold") for name in names]
    return columns + [Column(number, justify="right", no_wrap=True) for number in numbers]


def _pair_rows(pairs: pd.DataFrame, axes: Sequence[str]) -> list[list[str]]:
    return [
        [*(_cell(row[axis]) for axis in axes), row["better"], row["worse"]]
        + [f"{row['difference']:.2f} {_bounds(row['low'], row['high'])}".rstrip()]
        + ["-" if pd.isna(row["p"]) else f"{row['p']:.2g}", "yes" if row["apart"] else "no", str(row["chips"])]
        for row in pairs.to_dict("records")
    ]


def print_results(summary: pd.DataFrame, console: Console, when: str = LAST_EPOCH) -> None:
    """Print a summary with as many of its columns as the terminal has room for, none of them cut."""
    dropped = ["diverged"] * (not summary["diverged"].any())
    left_out: list[str] = []
    spare = _room_in_names(summary)
    table = results_table(summary, dropped, when)
    for column in _LEAST_FIRST:
        if console.measure(table, options=console.options.update(width=_ENDLESS)).maximum - spare <= console.width:
            break
        left_out.append(column)
        table = results_table(summary, dropped + left_out, when)
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


def results_table(summary: pd.DataFrame, dropped: Collection[str] = (), when: str = LAST_EPOCH) -> Table:
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
    title = _TITLE.format(when=when) + "; costs of training, mean of a run" * costs
    return table_of(columns, rows, title=Text(title))


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
