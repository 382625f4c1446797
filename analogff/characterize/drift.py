"""Drift: the exponent of the decay of sums with time."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Curve, Estimate, Found, NotMeasurableError
from analogff.characterize.nulls import sums
from analogff.characterize.statistics import Interval, jackknife, mean_of
from analogff.characterize.tables import points

TITLE = "drift exponent"
SECONDS = (1e2, 1e3, 1e4, 1e5, 1e6)
PATTERNS = 8
REPEATS = 16
_SHARE = 0.2  # share of the free range for a typical sum; five times as much still fits
_SEEN = 5.0  # least significance of a mean sum, in standard errors


def measure(bench: Bench) -> Found:
    r"""Wait, and null typical inputs once a decade.

    .. math:: M(t) = \overline{a(0) \, a(t)}, \quad
        \nu = -\frac{\mathrm{d} \ln M}{\mathrm{d} \ln t} \text{ (least squares)}

    The sums ``a(0)`` come from separate reads before the first wait. So noise adds nothing to the products on average,
    and sums near zero, whose sign it hides, have little weight.
    """
    bench.need_bias_port()
    bench.need_weights()
    crossing = bench.survey.middle()
    scale = min(1.0, _SHARE * float(np.nanmedian(crossing.room)))
    x = bench.typical_inputs(PATTERNS) * bench.input_of(scale)
    first = _flat(sums(bench, x, crossing, REPEATS))
    passed, later = 0.0, []
    for seconds in SECONDS:
        bench.wait(seconds - passed)
        passed = seconds
        later.append(_flat(sums(bench, x, crossing, REPEATS)))
    faded = np.stack(later, 1)  # (chips, times, sums, repeats)
    mean = np.nanmean(first.mean(-1)[:, None, :, None] * faded, axis=2)  # (chips, times, repeats)
    error = mean.std(-1, ddof=1) / REPEATS**0.5
    if (mean.mean(-1) < _SEEN * error).any():
        raise NotMeasurableError(f"sums fade away within {SECONDS[-1]:.0e} s, so that no power law fits")
    how = (
        f"minus the slope of ln(mean a(0) a(t)) against ln(time) at {len(SECONDS)} times from {SECONDS[0]:.0e} to "
        f"{SECONDS[-1]:.0e} s after fabrication, a the weighted sums of {PATTERNS} inputs by nulls; jackknife over "
        f"{REPEATS} ramps: the interval is for these sums, and other cells may drift otherwise"
    )
    estimate = Estimate(
        name="drift exponent", **jackknife(_exponent, first, faded)._asdict(), unit="", n=REPEATS, how=how
    )
    shown = mean_of(mean / mean[:, :1].mean(-1, keepdims=True))
    curve = Curve(
        "drift",
        "seconds after fabrication",
        "mean sum, relative",
        points(np.array(SECONDS), Interval(*(part[:, None] for part in shown)), ["mean a(0) a(t)"]),
        log_x=True,
    )
    return Found((estimate,), (curve,))


def _flat(a: np.ndarray) -> np.ndarray:
    """``(repeats, chips, patterns, n_out)`` to ``(chips, sums, repeats)``."""
    return a.reshape(*a.shape[:2], -1).transpose(1, 2, 0)


def _exponent(first: np.ndarray, faded: np.ndarray) -> np.ndarray:
    mean = np.nanmean(first.mean(-1)[:, None] * faded.mean(-1), axis=2)
    return -np.polyfit(np.log(SECONDS), np.log(mean).T, 1)[0]
