"""Time contenders side by side, so that whatever slows the machine down slows all of them."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to do a job."""

    run: Callable[[], object] | None
    """Does the job once; None if what it needs is not installed."""
    target: str = ""
    """What its ratio should be, in words; nothing is asserted."""
    work: int = 1
    """How many of the things that are compared one call does: its time is divided by it."""
    over: str | None = None
    """Another contender, whose time is taken off this one's before the ratio is formed."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Contenders for one job."""

    name: str
    """What is asked."""
    contenders: dict[str, Contender]
    """By what they are called in the table."""
    base: str | None = None
    """The one that the others are divided by; None where only seconds count."""
    rounds: int = 15
    """How often each is timed."""
    repeat: int = 1
    """Calls in one timing, for jobs that a clock cannot see one by one."""
    warm: int = 2
    """Calls before the first timing."""


@dataclass(frozen=True)
class Row:
    """What was measured of a contender; a line of ``record.csv``."""

    name: str
    contender: str
    median_seconds: float
    p10: float
    p90: float
    rounds: int
    ratio: str
    target: str


def measure(benchmark: Benchmark, rounds: int | None = None) -> list[Row]:
    """Time every contender once a round, each round beginning with another one.

    Args:
        benchmark: What to time.
        rounds: How often, if not as often as the benchmark says.
    """
    rounds = benchmark.rounds if rounds is None else rounds
    runs = {name: c.run for name, c in benchmark.contenders.items() if c.run is not None}
    for run in runs.values():
        for _ in range(benchmark.warm):
            run()
    names = list(runs)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                seconds[name].append(_seconds(runs[name], benchmark.repeat))
    finally:
        gc.enable()
    each = {name: np.array(values) / benchmark.contenders[name].work for name, values in seconds.items()}
    return [_row(benchmark, name, each) for name in benchmark.contenders]


def _seconds(run: Callable[[], object], repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        run()
    return (time.perf_counter() - start) / repeat


def _row(benchmark: Benchmark, name: str, seconds: dict[str, np.ndarray]) -> Row:
    target = benchmark.contenders[name].target
    if name not in seconds:
        return Row(benchmark.name, name, np.nan, np.nan, np.nan, 0, "not installed", target)
    p10, median, p90 = (float(p) for p in np.percentile(seconds[name], [10, 50, 90]))
    return Row(benchmark.name, name, median, p10, p90, len(seconds[name]), _ratio(benchmark, name, seconds), target)


def _ratio(benchmark: Benchmark, name: str, seconds: dict[str, np.ndarray]) -> str:
    """Return the median over rounds of the ratio in each: what a slow round slows, it slows above and below."""
    if benchmark.base is None:
        return ""
    over, base = benchmark.contenders[name].over, seconds[benchmark.base]
    if over is None:
        return f"{np.median(seconds[name] / base):.3f}"
    return f"{np.median((seconds[name] - seconds[over]) / base):+.3f}"
