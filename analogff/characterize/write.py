"""Writes: mean and spread of one pulse, and how up and down differ."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.cells import Probe, Pulses, find_pulses
from analogff.characterize.estimate import Curve, Estimate, Found
from analogff.characterize.statistics import Interval, jackknife, mean_of, root
from analogff.characterize.tables import points

TITLE = "write step, asymmetry and spread"
_TRAINS = (1, -1, -1, 1)


def measure(bench: Bench) -> Found:
    r"""Send trains up, down, down and up to all cells, and read each of them in between.

    With changes :math:`u_1, d_1, d_2, u_2` of a cell in trains of ``P`` steps, the step is
    :math:`\overline{u} / P`, the asymmetry :math:`(\bar u - \bar d) / (\bar u + \bar d)`, the spread from cell to cell
    :math:`\sqrt{\mathrm{cov}(u_1, u_2)} / \bar u`, and the spread from pulse to pulse what two independent reads of
    the same train share beyond that, :math:`\sqrt{P\,[\mathrm{cov}(u_1, u_1') - \mathrm{cov}(u_1, u_2)]} / \bar u`.
    Figures are those of cells of this kind, from where they were as fabricated.
    """
    probe = Probe.of(bench)
    pulses = find_pulses(bench)
    states = [-_halves(probe, bench)]
    for direction in _TRAINS:
        bench.pulse(direction * pulses.ask)
        states.append(-_halves(probe, bench))
    moves = np.stack([direction * (b - a) for direction, a, b in zip(_TRAINS, states, states[1:], strict=False)])
    moves = np.nan_to_num(moves) / pulses.train  # (trains, halves, chips, n_in, n_out)
    first, second, down = moves[0], moves[3], moves[1:3].mean((0, 1))
    up = (first + second).mean(0) / 2
    return Found(
        (
            _row("write step up", _mean, (up,), pulses, "weight", "mean change of a cell"),
            _row("write step down", _mean, (down,), pulses, "weight", "mean change of a cell, downwards"),
            _row(
                "landed over asked",
                lambda u: _mean(u) / pulses.step,
                (up,),
                pulses,
                "",
                "the step up over what it was asked as",
            ),
            _row("write asymmetry", _asymmetry, (up, down), pulses, "", "(up - down) / (up + down) of mean steps"),
            _row(
                "step spread, cell to cell",
                _between_cells,
                (first.mean(0), second.mean(0)),
                pulses,
                "",
                "root of the covariance of two trains up, over the mean step",
                squared=True,
            ),
            _row(
                "step spread, pulse to pulse",
                lambda *a: pulses.train * _between_pulses(*a),
                (*first, *second),
                pulses,
                "",
                "of single steps over the mean step: what two halves of the reads of one train share, less what two "
                "trains share",
                squared=True,
            ),
        ),
        (_path(states, pulses),),
    )


def _halves(probe: Probe, bench: Bench) -> np.ndarray:
    """Return minus the weights and a constant, from two independent halves of the nulls."""
    nulls = probe.nulls(bench)
    return np.stack([nulls[::2].mean(0), nulls[1::2].mean(0)])


def _row(name, statistic, groups, pulses: Pulses, unit: str, what: str, *, squared: bool = False) -> Estimate:
    interval = jackknife(statistic, *groups)
    cells = groups[0].shape[1] * groups[0].shape[2]
    how = (
        f"{what}; trains of {pulses.train} steps, asked as {pulses.step:.3g} each, up, down, down, up; {cells} cells, "
        "one line at a time, by nulls; jackknife over neurons"
    )
    shown = root(interval) if squared else interval
    return Estimate(name=name, **shown._asdict(), unit=unit, n=groups[0].shape[2], how=how, rms=squared)


def _mean(u: np.ndarray) -> np.ndarray:
    return u.mean((1, 2))


def _asymmetry(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    return (_mean(up) - _mean(down)) / (_mean(up) + _mean(down))


def _between_cells(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return _covariance(first, second) / _mean((first + second) / 2) ** 2


def _between_pulses(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """From halves ``a, b`` of one train and ``c, d`` of another."""
    within = (_covariance(a, b) + _covariance(c, d)) / 2
    return (within - _covariance((a + b) / 2, (c + d) / 2)) / _mean((a + b + c + d) / 4) ** 2


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
