"""Symmetry point: the state to which alternating pulses lead a cell."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.cells import Probe, find_pulses
from analogff.characterize.estimate import Estimate, Found, NotMeasurableError
from analogff.characterize.statistics import jackknife, jackknife_root

TITLE = "symmetry point"
STAGES = (50, 50, 100, 200, 400)
"""Pairs of trains before each measurement; from the second on each doubles the total."""
_FORGOTTEN = 1e-3
_STILL_KNOWN = 0.2


def measure(bench: Bench) -> Found:
    r"""Alternate trains up and down until cells have forgotten their start, and read them.

    The memory is the regression slope of later on first weights over the cells. After ``n`` pairs a share :math:`m_n`
    of the distance from the first to the final weight is left. It follows from the loss of memory since half as many
    pairs:

    .. math:: m_{n/2} - m_n = \sqrt{m_n} - m_n, \quad \tilde w = (w_n - m_n w_0) / (1 - m_n)

    The difference is more precise than the memory itself, which cells that settle near their start increase. The weight
    ``w_n`` is the mean of those after a train up and after a train down.
    """
    probe = Probe.of(bench)
    pulses = find_pulses(bench)
    start, start2 = _halves(probe, bench)
    looks, pairs, memory, left = [np.stack([start, start2])], 0, np.ones(bench.count), np.ones(bench.count)
    for stage in STAGES:
        for _ in range(stage):
            bench.pulse(pulses.ask)
            bench.pulse(-pulses.ask)
        pairs += stage
        try:
            looks.append(_halves(probe, bench))
        except NotMeasurableError as error:
            raise NotMeasurableError(f"after {pairs} pairs of trains up and down {error}") from error
        memory = _memory(start, start2, looks[-1].mean(0))
        left = _left(start, start2, looks[-2].mean(0), looks[-1].mean(0))
        if pairs > STAGES[0] and (left < _FORGOTTEN).all() and (memory < _STILL_KNOWN).all():
            break
    if (memory > _STILL_KNOWN).any():
        raise NotMeasurableError(
            f"after {pairs} pairs of trains up and down, each of {pulses.train} steps, cells still know "
            f"{np.median(memory):.0%} of where they began"
        )
    bench.pulse(pulses.ask)
    end = (looks[-1] + _halves(probe, bench)) / 2
    how = (
        f"after {pairs} pairs of trains of {pulses.train} steps up and down, which left {np.median(left):.1%} of the "
        f"way (taken off); {end[0, 0].size} cells one by one, by nulls, the jitter of their pulses included; "
        "jackknife over neurons"
    )
    parts = (start, start2, looks[-2].mean(0), looks[-1].mean(0), *end)
    rows = (
        ("symmetry point", "mean weight", jackknife(_mean, *parts), False),
        ("spread of settled cells", "standard deviation over cells", jackknife_root(_variance, *parts), True),
    )
    n = bench.sheet.n_out
    return Found(
        tuple(Estimate(name=a, **i._asdict(), unit="weight", n=n, how=f"{b} {how}", rms=rms) for a, b, i, rms in rows)
    )


def _halves(probe: Probe, bench: Bench) -> np.ndarray:
    weights = np.nan_to_num(probe.weights(bench))
    return np.stack([weights[::2].mean(0), weights[1::2].mean(0)])


def _memory(start: np.ndarray, start2: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the regression slope of last on first weights, from two independent reads of these."""
    return _covariance((start + start2) / 2, end) / _covariance(start, start2)


def _left(start: np.ndarray, start2: np.ndarray, half_way: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the remaining share of the distance, from the loss of memory since half as many pairs."""
    lost = _memory(start, start2, half_way) - _memory(start, start2, end)
    return ((1 - np.sqrt(1 - 4 * np.clip(lost, 0, 0.25))) / 2) ** 2


def _settled(start, start2, half_way, end, *places: np.ndarray) -> list[np.ndarray]:
    """Extrapolate each half of the last weights by the remaining distance."""
    left = _left(start, start2, half_way, end)[:, None, None]
    return [(place - left * (start + start2) / 2) / (1 - left) for place in places]


def _mean(*parts: np.ndarray) -> np.ndarray:
    return np.mean(_settled(*parts), axis=(0, 2, 3))


def _variance(*parts: np.ndarray) -> np.ndarray:
    return _covariance(*_settled(*parts))


def _covariance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Over the cells of a chip, ``(chips, n_in, n_out)``."""
    a, b = (w - w.mean((1, 2), keepdims=True) for w in (a, b))
    return (a * b).sum((1, 2)) / (a.shape[1] * a.shape[2] - 1)
