"""Transfer curves: the mean output of each neuron over the bias, or over the size of the input."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Curve, Estimate, Found
from analogff.characterize.statistics import mean_of
from analogff.characterize.tables import points

TITLE = "transfer curves"
_LEAST_SPAN = 1e-3  # share of the chip's greatest span below which a neuron is silent


def measure(bench: Bench) -> Found:
    r"""Sweep, and read every level several times.

    The gain is the chord :math:`(\bar y(1) - \bar y(-1)) / 2` (from 0 to 1 without a bias port), averaged over the
    neurons. It is linear in means of reads, so Student's t holds without a model of the curve.
    """
    survey = bench.survey
    x, y = survey.drive, survey.outputs
    curve = Curve(
        "transfer",
        f"bias / {survey.unit}" if survey.by_bias else "input on every line",
        "mean output",
        points(x, mean_of(y.transpose(1, 3, 2, 0)), [f"neuron {j}" for j in range(y.shape[3])]),
    )
    upper = y[:, :, _nearest(x, 1.0)]
    lower = y[:, :, _nearest(x, -1.0 if survey.by_bias else 0.0)]
    width = x[_nearest(x, 1.0)] - x[_nearest(x, -1.0 if survey.by_bias else 0.0)]
    ends = "silent inputs, bias -1 and +1" if survey.by_bias else "all inputs at 0 and at 1"
    sweep = f"{len(x)} levels from {x[0]:g} to {x[-1]:g}, {len(y)} reads each"
    return Found(
        (
            _over_repeats(
                "output at zero",
                "output",
                y[:, :, _nearest(x, 0.0)],
                "silent inputs, no bias; mean of reads and neurons, t",
            ),
            _over_repeats(
                "gain",
                f"output/{survey.unit}",
                (upper - lower) / width,
                f"chord of the mean transfer curve, {ends}; mean over neurons, t over repeats",
            ),
            _over_repeats(
                "output range",
                "output",
                survey.ranges(),
                f"output where the mean curve is greatest less where it is least, of {sweep}, a quarter of which find "
                "the places; mean over neurons, t over the others",
            ),
            _silent(y),
        ),
        (curve,),
    )


def _nearest(x: np.ndarray, value: float) -> int:
    return int(np.argmin(np.abs(x - value)))


def _over_repeats(name: str, unit: str, samples: np.ndarray, how: str) -> Estimate:
    """Average neurons in each repeat, ``(repeats, chips, n_out)``, so that repeats are the independent parts."""
    value, low, high = mean_of(samples.mean(2).T)
    return Estimate(name=name, value=value, low=low, high=high, unit=unit, n=len(samples), how=how)


def _silent(y: np.ndarray) -> Estimate:
    span = np.ptp(y.mean(0), axis=1)
    noise = y.std(0, ddof=1).mean(1) / len(y) ** 0.5
    dead = (span <= np.maximum(_LEAST_SPAN * span.max(1, keepdims=True), 6 * noise)).sum(1)
    how = "neurons whose mean output spans less than six standard errors or 0.1 % of the chip's widest; a count"
    return Estimate(name="silent neurons", value=dead, low=dead, high=dead, unit="", n=y.shape[3], how=how)
