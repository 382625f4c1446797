"""Linearity of the array: superposition of two inputs."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Estimate, Found, NotMeasurableError
from analogff.characterize.nulls import sums
from analogff.characterize.statistics import jackknife_root

TITLE = "superposition error"
PATTERNS = 16
REPEATS = 16
_SHARE = 0.15  # share of the free range for a typical sum


def measure(bench: Bench) -> Found:
    r"""Superpose small random inputs on one half of the lines and on the other half.

    .. math:: \epsilon = \sqrt{\overline{[a(x_1 + x_2) - a(x_1) - a(x_2)]^2} \,/\, \overline{a(x_1 + x_2)^2}}

    Nulls cancel the neurons' curves, and disjoint halves cancel the input converters. Squares are products of two
    halves of the ramps.
    """
    bench.need_bias_port()
    if bench.sheet.n_in < 2:
        raise NotMeasurableError("there is one input line only")
    crossing = bench.survey.middle()
    amplitude = min(1.0, _SHARE * float(np.nanmedian(crossing.room)))
    x = bench.typical_inputs(PATTERNS) * bench.input_of(amplitude)
    left = bench.random.permuted(np.tile(np.arange(bench.sheet.n_in) % 2 == 0, (PATTERNS, 1)), axis=1)
    a = sums(bench, np.concatenate([x * left, x * ~left, x]), crossing, REPEATS)
    one, other, both = np.split(a, 3, axis=2)
    excess = both - one - other
    parts = [excess[::2].mean(0), excess[1::2].mean(0), both[::2].mean(0), both[1::2].mean(0)]
    interval = jackknife_root(_share, *(np.nan_to_num(part) for part in parts))
    how = (
        f"rms of a(x1 + x2) - a(x1) - a(x2) over that of a(x1 + x2), {PATTERNS} pairs of inputs on disjoint lines, "
        f"rms input {amplitude:.2g}; sums by nulls, products of halves; jackknife over neurons"
    )
    n = bench.sheet.n_out
    return Found((Estimate(name="superposition error", **interval._asdict(), unit="", n=n, how=how, rms=True),))


def _share(e: np.ndarray, e2: np.ndarray, a: np.ndarray, a2: np.ndarray) -> np.ndarray:
    return (e * e2).sum((1, 2)) / (a * a2).sum((1, 2))
