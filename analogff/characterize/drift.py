"""Drift: how sums fade with time, as an exponent."""

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
_SEEN = 5.0  # standard errors that a mean sum must stand out by


def measure(bench: Bench) -> Found:
    r"""Wait, and null typical inputs once a decade.

    .. math:: M(t) = \overline{\mathrm{sign}(a(0)) \, a(t)}, \quad
        \nu = -\frac{\mathrm{d} \ln M}{\mathrm{d} \ln t} \text{ (least squares)}

    The signs come from reads of their own, before the first wait.
    """
    bench.need_bias_port()
    bench.need_weights()
    crossing = bench.survey.middle()
    scale = min(1.0, 0.3 * float(np.nanmedian(crossing.room)))
    x = bench.typical_inputs(PATTERNS) * bench.input_of(scale)
    sign = np.sign(sums(bench, x, crossing).mean(0))
    passed, faded = 0.0, []
    for seconds in SECONDS:
        bench.wait(seconds - passed)
        passed = seconds
        faded.append(np.nanmean(sign * sums(bench, x, crossing, REPEATS), axis=(2, 3)).T)
    mean = np.stack(faded, 1)  # (chips, times, repeats)
    error = mean.std(-1, ddof=1) / REPEATS**0.5
    if (mean.mean(-1) < _SEEN * error).any():
        raise NotMeasurableError(f"sums fade away within {SECONDS[-1]:.0e} s, so that no power law fits")
    logs = np.log(SECONDS)
    how = (
        f"minus the slope of ln(mean |sum|) against ln(time) at {len(SECONDS)} times from {SECONDS[0]:.0e} to "
        f"{SECONDS[-1]:.0e} s after fabrication, {PATTERNS} inputs; sums by nulls; jackknife over {REPEATS} ramps"
    )
    value = jackknife(lambda m: -np.polyfit(logs, np.log(m.mean(-1)).T, 1)[0], mean)
    estimate = Estimate(name="drift exponent", **value._asdict(), unit="", n=REPEATS, how=how)
    shown = mean_of(mean / mean[:, :1].mean(-1, keepdims=True))
    curve = Curve(
        "drift",
        "seconds after fabrication",
        "mean sum, relative",
        points(np.array(SECONDS), Interval(*(part[:, None] for part in shown)), ["mean |sum|"]),
        log_x=True,
    )
    return Found((estimate,), (curve,))
