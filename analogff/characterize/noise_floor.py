"""Noise floor: the variation of repeated reads at several levels."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Curve, Estimate, Found
from analogff.characterize.statistics import Interval, jackknife
from analogff.characterize.tables import points

TITLE = "noise floor"
REPEATS = 256
LEVELS = (-2.0, -1.0, 0.0, 1.0, 2.0)
_BLOCKS = 32
_SEEN_ONCE = 3.69  # -ln(0.025): an event absent from n trials has p < 3.69 / n


def measure(bench: Bench) -> Found:
    """Repeat the same read, at several biases with zero inputs, and with typical inputs."""
    typical = bench.typical_inputs(1)
    names, intervals = [], []
    if bench.sheet.bias_port:
        for level in LEVELS:
            names.append(f"bias {level:+g}")
            intervals.append(_deviation(bench.read(bias=np.full((1, REPEATS, 1), level))))
        xs = np.array(LEVELS)
    else:
        xs = np.array([s for s in (0.0, 0.5, 1.0, 2.0) if s == bench.input_of(s)])
        for size in xs:
            names.append(f"all inputs {size:g}")
            intervals.append(_deviation(bench.read(np.full((REPEATS, bench.sheet.n_in), size))))
    last = _deviation(bench.read(np.repeat(typical, REPEATS, axis=0)))
    how = (
        f"root of the variance of {REPEATS} repeats, mean over neurons, at the output; jackknife over {_BLOCKS} blocks "
        "of consecutive reads, so that slow noise within a block is counted"
    )
    estimates = [
        Estimate(name=f"noise, {name}", **each._asdict(), unit="output", n=REPEATS, how=how)
        for name, each in zip([*names, "typical inputs"], [*intervals, last], strict=True)
    ]
    stacked = Interval(*(np.stack(part, -1)[:, None] for part in zip(*intervals, strict=True)))
    drive = "bias / sum" if bench.sheet.bias_port else "input on every line"
    curve = Curve("noise", drive, "noise of an output", points(xs, stacked, ["rms over neurons"]))
    return Found(tuple(estimates), (curve,))


def _deviation(y: np.ndarray) -> Interval:
    """Return the rms over neurons of the standard deviations of repeats, ``(chips, repeats, n_out)``."""
    steps = np.abs(np.diff(y, axis=1))
    smallest = np.where(steps > 0, steps, np.inf).min((1, 2))
    blocks = y.reshape(y.shape[0], _BLOCKS, -1, y.shape[2]).transpose(0, 2, 3, 1)
    value, low, high = jackknife(_log_variance, blocks)
    # If hardly any read differed, the spread over blocks does not show how rarely reads differ.
    unseen = _SEEN_ONCE / y[0].size * np.where(np.isfinite(smallest), smallest, 0.0) ** 2
    value, low, high = (np.exp(part / 2) for part in (value, low, high))
    seen = y.std(1).any(1)
    return Interval(
        np.where(seen, value, 0.0), np.where(seen, low, 0.0), np.maximum(np.where(seen, high, 0.0), unseen**0.5)
    )


def _log_variance(blocks: np.ndarray) -> np.ndarray:
    """Return the logarithm of the mean variance, of ``(chips, reads, n_out, blocks)``."""
    y = blocks.transpose(0, 2, 1, 3).reshape(blocks.shape[0], blocks.shape[2], -1)
    return np.log(np.maximum(y.var(2, ddof=1).mean(1), 1e-30))
