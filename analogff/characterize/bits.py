"""Effective bits: the resolution of an ideal converter with the same error."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Estimate, Found, NotMeasurableError
from analogff.characterize.statistics import mean_of

TITLE = "effective bits"
POINTS = 512
DEGREE = 7
SHARES = (0.25, 0.75)
_NOTHING = 1e-6  # share of the range below which an error is floating-point rounding


def measure(bench: Bench) -> Found:
    r"""Sweep the middle of the range once, finely; the residual of a smooth curve is the error.

    .. math:: \mathrm{ENOB} = -\tfrac12 \log_2 \left(12\, \overline{e^2 / r^2}\right)

    with the range ``r`` of each neuron's mean output and the mean square error ``e`` of single reads, noise and
    quantization together. It equals SINAD for a full-scale signal without distortion: the curve belongs to the neuron
    and is no error.
    """
    bench.need_bias_port()
    survey = bench.survey
    ends = [survey.crossing(survey.level(share)) for share in SHARES]
    first, last = ends[0].at, ends[1].at
    t = np.linspace(-1, 1, POINTS)
    biases = first[:, None] + (last - first)[:, None] * (t[:, None] + 1) / 2
    y = bench.read(bias=np.nan_to_num(biases))
    basis = np.linalg.qr(np.polynomial.legendre.legvander(t, DEGREE))[0]
    error = y - np.einsum("pk,ckj->cpj", basis, np.einsum("pk,cpj->ckj", basis, y))
    ratio = (error**2).sum(1) / (POINTS - DEGREE - 1) / survey.ranges().mean(0) ** 2
    ratio = np.where(np.isfinite(first + last), ratio, np.nan)
    if np.nanmax(ratio) < _NOTHING**2:
        raise NotMeasurableError("single reads do not differ from a smooth curve")
    interval = mean_of(_all_alive(ratio)).map(lambda r: -0.5 * np.log2(12 * np.clip(r, 1e-14, None)))
    how = (
        f"bits of an ideal converter over the same output range with the same rms error; error of {POINTS} single "
        f"reads a neuron around a polynomial of degree {DEGREE} over {SHARES[0]:.0%} to {SHARES[1]:.0%} of the range "
        "(noise and quantization); t over neurons"
    )
    n = ratio.shape[1]
    return Found((Estimate(name="effective bits", **interval._asdict(), unit="bit", n=n, how=how),))


def _all_alive(values: np.ndarray) -> np.ndarray:
    """Replace the columns of dead neurons by the mean of the live ones, ``(chips, n_out)``."""
    mean = np.nanmean(values, axis=1, keepdims=True)
    return np.where(np.isnan(values), mean, values)
