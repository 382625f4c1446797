"""Intervals of 95 % for several kinds of estimator."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95
_BEND = 6.0  # bound of an estimated square near zero, in standard errors


class Interval(NamedTuple):
    """A number and the ends of its interval, as arrays of one shape."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> "Interval":
        """Apply a monotone function to all three."""
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

    For ratios, products of halves and slopes without a closed form. Student's t has ``G - 1`` degrees of freedom.

    Args:
        statistic: Maps such arrays, with any number of groups, to one number for each chip.
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

    Estimated mean squares are skewed: small estimates have small errors, so plain intervals miss the truth above them.
    A logarithm corrects this, except for squares near or below zero. This transform is linear there and logarithmic for
    large squares. Coverage with 16 groups of 16 normal numbers: 94.5 % for zero and 95.4 % for a square without noise.

    Args:
        statistic: As for `jackknife`.
        groups: As for `jackknife`.

    Reference:
        Durbin, Hardin, Hawkins and Rocke, Bioinformatics 18, S105 (2002), the generalized logarithm.
    """
    value, (error, freedom) = statistic(*groups), _error(statistic, groups)
    bend = np.maximum(_BEND * error, 1e-9 * np.abs(value) + np.finfo(float).tiny)  # a square may be exact
    reach = student(np.arcsinh(value / bend), error / np.hypot(value, bend), freedom)
    return root(Interval(value, *(bend * np.sinh(end) for end in (reach.low, reach.high))))


def _error(statistic: Callable[..., np.ndarray], groups: tuple[np.ndarray, ...]) -> tuple[np.ndarray, int]:
    """Return the standard error by the jackknife, and its degrees of freedom."""
    count = groups[0].shape[-1]
    left_out = np.stack([statistic(*(np.delete(group, g, axis=-1) for group in groups)) for g in range(count)])
    return np.sqrt((count - 1) * left_out.var(0)), count - 1


def root(interval: Interval) -> Interval:
    """Return the square root of an interval of a mean square.

    Noise may make a part of it negative. The root keeps the sign, so that averages over chips remain unbiased
    (`Estimate.rms`).
    """
    return interval.map(signed_root)


def signed_root(square: np.ndarray) -> np.ndarray:
    """Return ``sign(s) sqrt(|s|)``."""
    return np.sign(square) * np.sqrt(np.abs(square))


def spread_of(parts: np.ndarray, noise_variance: np.ndarray | float = 0.0) -> Interval:
    r"""Return the standard deviation of a normal population from a sample of it, along the last axis.

    .. math:: \frac{(n - 1) s^2}{\chi^2_{1 - \alpha / 2}} < \sigma^2 < \frac{(n - 1) s^2}{\chi^2_{\alpha / 2}}

    Args:
        parts: One number for each part, which may contain measurement noise.
        noise_variance: Variance of that noise, which is subtracted.
    """
    n = parts.shape[-1]
    squares = parts.var(-1, ddof=1)
    high, low = ((n - 1) / stats.chi2.ppf((1 + side * LEVEL) / 2, n - 1) for side in (-1, 1))
    return root(Interval(*(squares * factor - noise_variance for factor in (1.0, low, high))))
