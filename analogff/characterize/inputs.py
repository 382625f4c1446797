"""Linearity of the inputs: whether a line's share of a weighted sum is proportional to its signal."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Curve, Estimate, Found
from analogff.characterize.nulls import sums
from analogff.characterize.statistics import Interval, jackknife, jackknife_root
from analogff.characterize.survey import REACH
from analogff.characterize.tables import points

TITLE = "input nonlinearity"
LINES = 8
LEVELS = 6
REPEATS = 8
_WITHIN = 0.8  # share of the free range up to which a line's largest share counts as measured
_SURE = 4.0  # bound on a line's share, in standard deviations for weights near 1 / sqrt(n_in)


def measure(bench: Bench) -> Found:
    r"""Raise the signal on one line at a time, from zero to the end of the nominal range or to 4.

    .. math:: \epsilon = \sqrt{\overline{[a(v) - (v / v_{max})\, a(v_{max})]^2} \,/\, \overline{a(v_{max})^2}}

    Sums come from nulls, which cancel the neurons' curves. The path from a signal to a sum remains: input converters,
    drivers, and the current of a cell over its voltage.
    """
    bench.need_bias_port()
    crossing = bench.survey.middle()
    reach = float(np.nanmedian(crossing.room)) * bench.sheet.n_in**0.5 / _SURE
    top = bench.input_of(min(REACH, reach))
    levels = np.unique([bench.input_of(top * n / LEVELS) for n in range(1, LEVELS + 1)])
    lines = bench.random.permutation(bench.sheet.n_in)[:LINES]
    x = np.zeros((len(lines), len(levels), bench.sheet.n_in))
    x[np.arange(len(lines)), :, lines] = levels
    a = sums(bench, x.reshape(-1, bench.sheet.n_in), crossing, REPEATS)
    a = a.reshape(*a.shape[:2], len(lines), len(levels), -1)
    inside = np.abs(a.mean(0)[:, :, -1:]) < _WITHIN * crossing.room[:, None, None]  # within reach of nulls
    one, other = (np.where(inside, a[half::2].mean(0), 0.0) for half in (0, 1))  # (chips, lines, levels, n_out)
    share = (levels / levels[-1])[:, None]
    error = jackknife_root(
        _share, *(part - share * part[:, :, -1:] for part in (one, other)), one[:, :, -1:], other[:, :, -1:]
    )
    how = (
        f"rms of a(v) - (v / v_max) a(v_max) over that of a(v_max), {len(lines)} lines one at a time, {len(levels)} "
        f"levels up to {levels[-1]:.3g}; sums by nulls, products of halves; jackknife over neurons"
    )
    figure = Estimate(name=TITLE, **error._asdict(), unit="", n=bench.sheet.n_out, how=how, rms=True)
    return Found((figure,), (_curve(levels, one, other),))


def _curve(levels: np.ndarray, one: np.ndarray, other: np.ndarray) -> Curve:
    """Return the mean share of a line in sums over its signal, 1 at the last level."""
    each = [
        jackknife(_projection, one[:, :, n], other[:, :, -1], one[:, :, -1], other[:, :, -1])
        for n in range(len(levels))
    ]
    stacked = Interval(*(np.stack(part, -1)[:, None] for part in zip(*each, strict=True)))
    return Curve(
        "inputs", "input on one line", "its share of a sum over that at the last", points(levels, stacked, ["lines"])
    )


def _share(e: np.ndarray, e2: np.ndarray, a: np.ndarray, a2: np.ndarray) -> np.ndarray:
    return (e * e2).mean((1, 2, 3)) / (a * a2).mean((1, 2, 3))


def _projection(a: np.ndarray, on: np.ndarray, last: np.ndarray, last2: np.ndarray) -> np.ndarray:
    return (a * on).sum((1, 2)) / (last * last2).sum((1, 2))
