"""Tables of what rules come to on a chip: throughput, latency, load, memory and energy."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.ticker import EngFormatter
from rich.console import Console
from rich.table import Column
from rich.text import Text

from analogff.support.console import table_of
from analogff.timeline import COMPONENTS, Summary

_COUNT, _SECONDS, _JOULES, _BYTES = (EngFormatter(unit, places=1) for unit in ("", "s", "J", "B"))


def summary_table(found: Mapping[str, Summary]) -> pd.DataFrame:
    """Return one row for each rule, in SI units."""
    rows = [
        {
            "rule": label,
            "samples_per_second": summary.samples_per_second,
            "bound_per_second": summary.bound_per_second,
            "latency_seconds": summary.latency_seconds,
            "busiest": summary.busiest,
            "buffer_bytes": summary.buffer_bytes,
            **{f"{component}_joules": summary.joules[component] for component in COMPONENTS},
            "total_joules": sum(summary.joules.values()),
            **{f"utilization of {resource}": share for resource, share in summary.utilization.items()},
        }
        for label, summary in found.items()
    ]
    return pd.DataFrame(rows)


def print_timelines(found: Mapping[str, Summary], console: Console) -> None:
    """Print a row for each rule, and another for its energy an image."""
    headers = ("samples/s", "latency", "buffers", "busiest", "in use")
    console.print(
        table_of(
            [Column("rule", overflow="fold"), *(Column(name, justify="right", no_wrap=True) for name in headers)],
            [_row(label, summary) for label, summary in found.items()],
            title=Text("Time and memory, in steady state"),
        )
    )
    headers = (*COMPONENTS, "total")
    console.print(
        table_of(
            [Column("rule", overflow="fold"), *(Column(name, justify="right", no_wrap=True) for name in headers)],
            [
                [label, *(_JOULES(joules) for joules in (*summary.joules.values(), sum(summary.joules.values())))]
                for label, summary in found.items()
            ],
            title=Text("Energy of a sample"),
        )
    )


def _row(label: str, summary: Summary) -> list[str]:
    return [
        label,
        _COUNT(summary.samples_per_second),
        _SECONDS(summary.latency_seconds),
        _BYTES(summary.buffer_bytes),
        summary.busiest,
        f"{100 * summary.utilization[summary.busiest]:.0f} %",
    ]
