"""Chips on a bench, and whether intervals cover."""

import numpy as np
from scipy import stats

from analogff.characterize.bench import Bench
from analogff.device import Observable, Sealed, fabricate

CONFIDENCE = 1e-3


def make_bench(model, chips=60, n_in=16, n_out=16, first=1000, **parameters):
    device = fabricate(model, n_in, n_out, seeds=range(first, first + chips), parameters=parameters)
    level = Observable.PROBE if device.datasheet.bias_port else Observable.ACTIVITY
    return Bench(Sealed(device, chips=chips, level=level), first), device


def figures(found):
    return {estimate.name: estimate for estimate in found.estimates}


def covered(estimate, truth):
    """Return for each chip whether its interval holds the truth."""
    return (estimate.low <= np.asarray(truth)) & (np.asarray(truth) <= estimate.high)


def assert_covers(estimate, truth, *, exact=True):
    """Expect as many hits as 95 % intervals give; at least as many, where an interval is known to be cautious."""
    hits = covered(estimate, truth)
    n = hits.size
    low, high = stats.binom.ppf([CONFIDENCE, 1 - CONFIDENCE], n, 0.95)
    told = f"{estimate.name}: {hits.sum()} of {n}, expected {low:g} to {high:g}; truth {np.mean(truth):.4g}, found {estimate.value.mean():.4g}"
    assert hits.sum() >= low, told
    assert not exact or hits.sum() <= high, told
