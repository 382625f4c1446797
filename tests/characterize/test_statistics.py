"""Intervals hold the truth as often as they say, on numbers whose truth is known."""

import numpy as np
import pytest

from analogff.characterize.statistics import Interval, jackknife, jackknife_root
from tests.helpers.benches import CONFIDENCE

CHIPS, PARTS, GROUPS = 2000, 16, 16


def covariance(a, b):
    centered, centered2 = (part - part.mean((1, 2), keepdims=True) for part in (a, b))
    return (centered * centered2).sum((1, 2)) / (a.shape[1] * a.shape[2] - 1)


def two_reads(size, noise):
    random = np.random.default_rng(0)
    shared, first, second = random.standard_normal((3, CHIPS, PARTS, GROUPS))
    return size * shared + noise * first, size * shared + noise * second


def share(interval: Interval, truth):
    return ((interval.low <= truth) & (truth <= interval.high)).mean()


@pytest.mark.parametrize(("size", "noise"), [(0.0, 1.0), (0.15, 1.0), (0.4, 1.0), (3.0, 1.0), (1.0, 0.0)])
def test_the_root_of_a_mean_square_is_covered_with_and_without_noise(size, noise):
    interval = jackknife_root(covariance, *two_reads(size, noise))
    tolerance = -np.log(CONFIDENCE) * np.sqrt(0.95 * 0.05 / CHIPS) / 2  # some 3.5 standard errors
    assert share(interval, size) == pytest.approx(0.95, abs=tolerance)


def test_a_root_misses_on_both_sides_alike_where_a_plain_interval_does_not():
    reads = two_reads(1.0, 0.0)
    plain, bent = jackknife(covariance, *reads), jackknife_root(covariance, *reads)
    lopsided = (plain.high < 1).mean() / (plain.low > 1).mean()
    assert lopsided > 2 > (bent.high < 1).mean() / (bent.low > 1).mean()


def test_a_square_that_is_known_exactly_has_no_width():
    exact = np.full((1, 4, 8), 3.0)
    for truth in (3.0, 0.0):
        interval = jackknife_root(lambda u: (u**2).mean((1, 2)), exact * truth / 3)
        assert np.concatenate(interval) == pytest.approx([truth] * 3, rel=1e-6)
