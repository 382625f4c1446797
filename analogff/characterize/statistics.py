"""Intervals of 95 %, each for a kind of estimator."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95
_BEND = 6.0  # standard errors up to which an estimated square counts as near zero


class Interval(NamedTuple):
    """A number and the ends of its interval, as arrays of one shape."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> "Interval":
        """Pass all three through a function that rises or falls throughout."""
        value, low, high = (function(np.asarray(part)) for part in self)
        return Interval(value, np.minimum(low, high), np.maximum(low, high))


def student(value: np.ndarray, error: np.ndarray, freedom: float) -> Interval:
    """Return ``value -+ t error``."""
    reach = stats.t.ppf((1 + LEVEL) / 2, freedom) * error
    return Interval(value, value - reach, value + reach)


def mean_of(samples: np.ndarray) -> Interval:
    """Return the mean over the last axis, of independent samples: Student's t."""
    n = samples.shape[-1]
    return student(samples.mean(-1), samples.std(-1, ddof=1) / n**0.5, n - 1)


def jackknife(statistic: Callable[..., np.ndarray], *groups: np.ndarray) -> Interval:
    r"""Return a statistic of independent groups, with the interval of the delete-one jackknife.

    .. math:: s^2 = \frac{G - 1}{G} \sum_g \left(\theta_{(g)} - \bar\theta_{(\cdot)}\right)^2

    For ratios, products of halves and slopes, where no closed form is at hand. Student's t with ``G - 1``.

    Args:
        statistic: Maps arrays of the shapes given, with any number of groups, to one number a chip.
        groups: Arrays with the groups along the last axis.

    Reference:
        Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 11.
    """
    error, freedom = _error(statistic, groups)
    return student(statistic(*groups), error, freedom)


def jackknife_root(statistic: Callable[..., np.ndarray], *groups: np.ndarray) -> Interval:
    r"""Return the square root of a statistic that is a mean square, with an interval by the jackknife.

    .. math:: \theta \to \delta \sinh\left(\mathrm{arsinh}\frac{\theta}{\delta}
        \mp \frac{t s}{\sqrt{\theta^2 + \delta^2}}\right), \quad \delta = 6 s

    Estimated mean squares are skew: those that came out too small have too small an error, so that plain intervals
    miss the truth above them. The logarithm would undo that, but not of a square that noise has put near or below
    zero. This is linear there, and logarithmic where the square stands out. Coverage of 16 groups of 16 normal
    numbers: 94.5 % of zero and 95.4 % of a square without noise.

    Args:
        statistic: As for `jackknife`.
        groups: As for `jackknife`.

    Reference:
        Durbin, Hardin, Hawkins and Rocke, Bioinformatics 18, S105 (2002), the generalized logarithm.
    """
    value, (error, freedom) = statistic(*groups), _error(statistic, groups)
    bend = np.maximum(_BEND * error, 1e-9 * np.abs(value) + np.finfo(float).tiny)  # a square may be known exactly
    reach = student(np.arcsinh(value / bend), error / np.hypot(value, bend), freedom)
    return root(Interval(value, *(bend * np.sinh(end) for end in (reach.low, reach.high))))


def _error(statistic: Callable[..., np.ndarray], groups: tuple[np.ndarray, ...]) -> tuple[np.ndarray, int]:
    """Return the standard error by the jackknife, and its degrees of freedom."""
    count = groups[0].shape[-1]
    left_out = np.stack([statistic(*(np.delete(group, g, axis=-1) for group in groups)) for g in range(count)])
    return np.sqrt((count - 1) * left_out.var(0)), count - 1


def root(interval: Interval) -> Interval:
    """Return the square root of an interval of a mean square.

    Noise may have put a part of it below zero; the root keeps the sign, so that chips can still be averaged without
    bias (`Estimate.rms`).
    """
    return interval.map(signed_root)


def signed_root(square: np.ndarray) -> np.ndarray:
    """Return ``sign(s) sqrt(|s|)``."""
    return np.sign(square) * np.sqrt(np.abs(square))


def spread_of(parts: np.ndarray, noise_variance: np.ndarray | float = 0.0) -> Interval:
    r"""Return the standard deviation of a normal population from a sample of it, along the last axis.

    .. math:: \frac{(n - 1) s^2}{\chi^2_{1 - \alpha / 2}} < \sigma^2 < \frac{(n - 1) s^2}{\chi^2_{\alpha / 2}}

    Args:
        parts: One number a part, which may carry noise of measurement.
        noise_variance: Variance of that noise, which is taken off.
    """
    n = parts.shape[-1]
    squares = parts.var(-1, ddof=1)
    high, low = ((n - 1) / stats.chi2.ppf((1 + side * LEVEL) / 2, n - 1) for side in (-1, 1))
    return root(Interval(*(squares * factor - noise_variance for factor in (1.0, low, high))))
