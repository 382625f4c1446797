"""Crosstalk: the effect of one output's weights on the sums of others."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.cells import TYPICAL_ASK
from analogff.characterize.estimate import Estimate, Found, NotMeasurableError
from analogff.characterize.nulls import null_biases
from analogff.characterize.statistics import mean_of

TITLE = "crosstalk"
REPEATS = 16
_MOST_DRIVEN = 16
_TRIALS = 16


def measure(bench: Bench) -> Found:
    r"""Pulse the weights of one output at a time, and measure the weighted sums of the others.

    .. math:: c = \overline{\Delta a_{k \pm 1} / \Delta a_k}

    with all lines on and sums by nulls. Changes are not reverted, since each output is pulsed once.
    """
    bench.need_bias_port()
    bench.need_weights()
    outputs = bench.sheet.n_out
    if outputs < 3:
        raise NotMeasurableError("there are fewer than three outputs")
    crossing = bench.survey.middle()
    room = np.nanmin(crossing.room)
    x = np.full((1, bench.sheet.n_in), bench.input_of(0.25 * room * bench.sheet.n_in**-0.5 / 0.5))
    driven = np.linspace(0, outputs - 1, min(outputs, _MOST_DRIVEN)).round().astype(int)
    near, far, alone = [], [], []
    for k in driven:
        change = np.zeros((outputs, bench.sheet.n_in))
        change[k] = 2 * TYPICAL_ASK * bench.sheet.n_in**-0.5
        before = null_biases(bench, x, crossing, REPEATS).mean(0)[:, 0]
        for _ in range(_TRIALS):
            bench.pulse(change)
            after = null_biases(bench, x, crossing, REPEATS).mean(0)[:, 0]
            if np.nanmedian((before - after)[:, k]) > 0.2 * room:
                break
        moved = before - after
        share = moved / moved[:, [k]]
        neighbor = np.abs(np.arange(outputs) - k)
        near.append(np.nanmean(share[:, neighbor == 1], axis=1))
        far.append(np.nanmean(share[:, neighbor > 1], axis=1))
        alone.append(moved[:, k])
    if (np.abs(np.mean(alone, 0)) < 1e-6).any():
        raise NotMeasurableError("pulses did not move the sums that they were meant for")
    how = (
        f"change of a sum over that of the output whose weights were pulsed, all lines on, mean over {len(driven)} "
        "pulsed outputs; sums by nulls; t over pulsed outputs"
    )
    rows = (("crosstalk to neighbors", near), ("crosstalk to other outputs", far))
    return Found(
        tuple(
            Estimate(name=name, **mean_of(np.stack(c, -1))._asdict(), unit="", n=len(driven), how=how)
            for name, c in rows
        )
    )
