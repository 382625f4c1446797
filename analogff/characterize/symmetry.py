"""Symmetry point: where alternating pulses let a cell settle."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.cells import Probe, find_pulses
from analogff.characterize.estimate import Estimate, Found, NotMeasurableError
from analogff.characterize.statistics import jackknife, root

TITLE = "symmetry point"
STAGES = (50, 50, 100, 200, 400)
"""Pairs of trains before each look whether cells have settled."""
_FORGOTTEN = 0.01
_STILL_KNOWN = 0.2


def measure(bench: Bench) -> Found:
    r"""Alternate trains up and down until cells have forgotten where they began, and read them.

    The memory is the slope of final on first weights over the cells. A cell's place is the mean of where it is after
    a train up and after a train down.
    """
    probe = Probe.of(bench)
    pulses = find_pulses(bench)
    start = _halves(probe, bench)
    pairs, memory = 0, np.ones(bench.count)
    for stage in STAGES:
        for _ in range(stage):
            bench.pulse(pulses.ask)
            bench.pulse(-pulses.ask)
        pairs += stage
        after_down = _halves(probe, bench)
        memory = _memory(start, after_down)
        if (np.abs(memory) < _FORGOTTEN).all():
            break
    if (memory > _STILL_KNOWN).any():
        raise NotMeasurableError(
            f"after {pairs} pairs of trains up and down, each of {pulses.train} steps, cells still know "
            f"{np.median(memory):.0%} of where they began"
        )
    bench.pulse(pulses.ask)
    end = (after_down + _halves(probe, bench)) / 2
    known = memory[:, None, None]
    settled = (end - known * start) / (1 - known)  # as far as they still would go
    how = (
        f"after {pairs} pairs of trains of {pulses.train} steps up and down, which left {np.median(memory):.1%} of "
        f"where cells began (taken off); {settled[0, 0].size} cells one by one, by nulls; "
        "jackknife over neurons"
    )
    rows = (
        ("symmetry point", "mean weight", jackknife(lambda w: w.mean((1, 2)), settled.mean(0)), False),
        ("spread of settled cells", "standard deviation over cells", root(jackknife(_covariance, *settled)), True),
    )
    n = bench.sheet.n_out
    return Found(
        tuple(Estimate(name=a, **i._asdict(), unit="weight", n=n, how=f"{b} {how}", rms=rms) for a, b, i, rms in rows)
    )


def _halves(probe: Probe, bench: Bench) -> np.ndarray:
    weights = np.nan_to_num(probe.weights(bench))
    return np.stack([weights[::2].mean(0), weights[1::2].mean(0)])


def _memory(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return _covariance(start.mean(0), end.mean(0)) / _covariance(*start)


def _covariance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Over the cells of a chip, ``(chips, n_in, n_out)``."""
    a, b = (w - w.mean((1, 2), keepdims=True) for w in (a, b))
    return (a * b).sum((1, 2)) / (a.shape[1] * a.shape[2] - 1)
