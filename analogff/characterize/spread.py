"""Device-to-device spread of the neurons of a chip and of the chips of a lot."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Estimate, Found, NotFound, NotMeasurableError
from analogff.characterize.nulls import null_biases
from analogff.characterize.statistics import spread_of

TITLE = "device-to-device spread"
REPEATS = 16
SHARES = (0.25, 0.75)


def measure(bench: Bench) -> Found:
    r"""Null every neuron at two common output levels.

    A neuron :math:`f(g_j b + o_j)` crosses them :math:`\Delta b_j = \Delta u / g_j` apart for any curve ``f``. So the
    spread of :math:`\ln \Delta b_j` is that of the logarithm of the gain, and the spread of the first crossing is that
    of the offset. Spreads are those of the population that the neurons or chips sample.
    """
    bench.need_bias_port()
    low, high = common_levels(bench)
    crossings = [bench.survey.crossing(level) for level in (low, high)]
    silent = np.zeros((1, bench.sheet.n_in))
    lower, upper = (null_biases(bench, silent, each, REPEATS)[:, :, 0] for each in crossings)
    if np.isnan(lower + upper).any():
        raise NotMeasurableError("some neurons never pass a level that the others pass")
    apart = (upper - lower).mean(0)
    noise = (upper - lower).var(0, ddof=1) / REPEATS
    logs, log_noise = np.log(np.abs(apart)), (noise / apart**2).mean(1)
    gains = spread_of(logs, log_noise)
    offsets = spread_of(lower.mean(0), (lower.var(0, ddof=1) / REPEATS).mean(1))
    text = f"{REPEATS} nulls an output, their noise taken off; chi squared, normal population"
    neurons = logs.shape[1]
    found = [
        Estimate(
            name="gain spread over neurons",
            **gains._asdict(),
            unit="",
            n=neurons,
            how=f"standard deviation of ln(gain), from biases of two outputs common to all neurons of a chip; {text}",
            rms=True,
        ),
        Estimate(
            name="threshold spread over neurons",
            **offsets._asdict(),
            unit="sum",
            n=neurons,
            how=f"standard deviation of the bias at which neurons pass the lower of the two outputs; {text}",
            rms=True,
        ),
    ]
    if bench.count > 1:
        means = logs.mean(1)
        chips = spread_of(means, (logs.var(1, ddof=1) / neurons).mean())
        how = (
            "standard deviation over chips of the mean ln(gain), less what the neurons' own spread brings; chi squared"
        )
        found.append(
            Estimate(name="gain spread over chips", **chips._asdict(), unit="", n=bench.count, how=how, rms=True)
        )
        return Found(tuple(found))
    return Found(tuple(found), missing=(NotFound("gain spread over chips", "there is one chip only"),))


def common_levels(bench: Bench) -> tuple[np.ndarray, np.ndarray]:
    """Return two outputs within the range of every neuron of the lot that is not silent, ``(chips, n_out)``."""
    survey = bench.survey
    alive = survey.span > 0.01 * survey.span.max()
    top = np.where(alive, survey.mean.max(1), np.inf).min()
    bottom = np.where(alive, survey.mean.min(1), -np.inf).max()
    if top <= bottom:
        raise NotMeasurableError("no output is within the range of every neuron")
    return tuple(np.full_like(survey.span, bottom + share * (top - bottom)) for share in SHARES)  # type: ignore[return-value]
