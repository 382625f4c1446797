"""Writes: mean and spread of one pulse, and asymmetry of up and down."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.cells import TRIED, Probe, Pulses, find_pulses
from analogff.characterize.estimate import Curve, Estimate, Found
from analogff.characterize.statistics import Interval, jackknife, jackknife_root, mean_of
from analogff.characterize.tables import points

TITLE = "write step, asymmetry and spread"
_TRAINS = (1, -1, -1, 1)
_MOST = 0.5  # greatest believed change of a step along the trains, as a share


def measure(bench: Bench) -> Found:
    r"""Send trains up, down, down and up to all cells, and read each cell in between.

    With changes :math:`u_1, d_1, d_2, u_2` of a cell in trains of ``P`` steps, the step is
    :math:`\overline{u} / P` and the asymmetry :math:`(\bar u - \bar d) / (\bar u + \bar d)`, a ratio of means over
    cells. Each train up has two independent reads :math:`u, u'`. The covariance of two trains is the spread of cells.
    The covariance of two reads of one train exceeds it by the spread of pulses. But the second train starts where the
    noise of the first one left the cell, and the step depends on the state, so the two share too little. The second
    train is therefore corrected to the start of the first one, by the regression of steps on weights over the cells of
    a neuron,

    .. math::
        \tilde u_2 = u_2 \left[1 - \frac{w_3 - w_0}{\bar u} \frac{\partial u}{\partial w}\right], \quad
        s_\mathrm{cells} = \frac{\sqrt{\mathrm{cov}(u_1, \tilde u_2)}}{\bar u}, \quad
        s_\mathrm{pulses} = \frac{\sqrt{[\mathrm{cov}(u, u') - \mathrm{cov}(u_1, \tilde u_2)] / P}}{\bar u / P}

    Figures hold along these four trains, starting from cells as fabricated; steps of other states differ. The line of
    the trial pulses is left out.
    """
    probe = Probe.of(bench)
    pulses = find_pulses(bench)
    states, spent = [_halves(probe, bench)], []
    for direction in _TRAINS:
        spent.append(bench.pulse(direction * pulses.ask))
        states.append(_halves(probe, bench))
    moves = [direction * (b - a) for direction, a, b in zip(_TRAINS, states, states[1:], strict=False)]
    moves = np.stack(moves)  # (trains, halves, chips, n_in, n_out)
    steps = np.stack(spent) / (bench.sheet.n_in * bench.sheet.n_out)  # (trains, chips)
    taken = moves / steps[:, None, :, None, None]
    first, second, down = taken[0], taken[3], taken[1:3].mean((0, 1))
    up, landed = (first + second).mean(0) / 2, (moves[0] + moves[3]).mean(0) / 2
    parts = (*states[0], (states[3] - states[0]).mean(0), *first, *second)
    count = steps[[0, 3]].mean(0)
    return Found(_figures(up, down, landed, parts, count, pulses), (_path(states, pulses),))


def _figures(
    up: np.ndarray,
    down: np.ndarray,
    landed: np.ndarray,
    parts: tuple[np.ndarray, ...],
    count: np.ndarray,
    pulses: Pulses,
) -> tuple[Estimate, ...]:
    """Return the figures of mean steps, ``(chips, n_in, n_out)`` each; ``parts`` and ``count`` as in `_variances`."""
    return (
        _row("write step up", _mean, (up,), pulses, "weight", "mean change of a cell"),
        _row("write step down", _mean, (down,), pulses, "weight", "mean change of a cell, downwards"),
        _row(
            "landed over asked",
            lambda u: _mean(u) / pulses.ask,
            (landed,),
            pulses,
            "",
            "the change by a train up over the requested change",
        ),
        _row("write asymmetry", _asymmetry, (up, down), pulses, "", "(up - down) / (up + down) of mean steps"),
        _row(
            "step spread, cell to cell",
            lambda *a: _variances(count, *a)[0],
            parts,
            pulses,
            "",
            "root of the covariance of two trains up, over the mean step; the second corrected to the start of the "
            "first",
            squared=True,
        ),
        _row(
            "step spread, pulse to pulse",
            lambda *a: _variances(count, *a)[1],
            parts,
            pulses,
            "",
            "of single steps over the mean step: covariance of two halves of the reads of one train, less that of "
            "two trains",
            squared=True,
        ),
    )


def _halves(probe: Probe, bench: Bench) -> np.ndarray:
    """Return the weights and a constant a neuron, from two independent halves of the nulls."""
    nulls = np.delete(probe.nulls(bench), TRIED, axis=2)
    return -np.nan_to_num(np.stack([nulls[::2].mean(0), nulls[1::2].mean(0)]))


def _row(name, statistic, groups, pulses: Pulses, unit: str, what: str, *, squared: bool = False) -> Estimate:
    interval = (jackknife_root if squared else jackknife)(statistic, *groups)
    cells = groups[0].shape[1] * groups[0].shape[2]
    how = (
        f"{what}; trains of {pulses.train} steps, requested as {pulses.step:.3g} each, up, down, down, up from cells "
        f"as fabricated; {cells} cells, one line at a time, by nulls; jackknife over neurons"
    )
    return Estimate(name=name, **interval._asdict(), unit=unit, n=groups[0].shape[2], how=how, rms=squared)


def _mean(u: np.ndarray) -> np.ndarray:
    return u.mean((1, 2))


def _asymmetry(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    return (_mean(up) - _mean(down)) / (_mean(up) + _mean(down))


def _variances(
    count: np.ndarray,
    w: np.ndarray,
    w2: np.ndarray,
    moved: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    c: np.ndarray,
    d: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared spreads of cells and of pulses, over the squared mean step.

    Args:
        count: Steps of a train, ``(chips,)``.
        w: First weights, ``(chips, n_in, n_out)``.
        w2: Their other half.
        moved: Change from there to the start of the second train up.
        a: Mean step of the first train up, from the same half as ``w``.
        b: Its other half.
        c: That of the second train.
        d: Its other half.
    """
    step = _mean((a + b + c + d) / 4)
    relative = (_slope(w, w2, a, b, count * step) / step)[:, None, None]
    back = 1 - np.clip(relative * moved, -_MOST, _MOST)
    c, d = c * back, d * back
    cells = _covariance((a + b) / 2, (c + d) / 2)
    within = (_covariance(a, b) + _covariance(c, d)) / 2
    return cells / step**2, count * (within - cells) / step**2


def _slope(w: np.ndarray, w2: np.ndarray, a: np.ndarray, b: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the growth of steps with the weight, or 0 if weights differ less than a train moves them."""
    w, w2, a, b = (part - part.mean(1, keepdims=True) for part in (w, w2, a, b))  # less the constant of each neuron
    spread = _mean(w * w2)
    slope = _mean(w * b + w2 * a) / 2 / np.where(spread > 0, spread, 1.0)
    return np.where(spread > train**2, slope, 0.0)


def _covariance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    cells = a.shape[1] * a.shape[2]
    product = (a - a.mean((1, 2), keepdims=True)) * (b - b.mean((1, 2), keepdims=True))
    return product.sum((1, 2)) / (cells - 1)


def _path(states: list[np.ndarray], pulses: Pulses) -> Curve:
    """Return the mean change of the weights from train to train."""
    moved = np.stack([(state - states[0]).mean((0, 2)) for state in states], 1)  # (chips, trains, n_out)
    shown = mean_of(moved)
    x = np.arange(len(states)) * pulses.train
    table = points(x, Interval(*(part[:, None] for part in shown)), ["mean over cells"])
    return Curve("write", "pulses: up, down, down, up", "change of a weight", table)
