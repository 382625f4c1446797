"""Weighted sums by nulls: the bias that returns an output to the same level."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import NotMeasurableError
from analogff.characterize.survey import Crossing

REPEATS = 8
"""Ramps of one null; its halves are independent."""
POINTS = 32
_HALVINGS = 12
_LOOKS = 9  # odd, so that there is a majority
_LAST_LOOKS = 24  # a ramp shorter than the noise loses its tails
_REACH = 0.98  # share of the free range beyond which no null was found
_FEW = 0.01
_MOST = 0.5
_TAILS = 6.0  # margin of a ramp on either side, in standard deviations of noise


def null_biases(bench: Bench, x: np.ndarray, crossing: Crossing, repeats: int = REPEATS) -> np.ndarray:
    r"""Return the biases at which outputs cross a level, for each of several inputs.

    .. math:: b(x) = l + \delta \cdot \#\{m : y(x, l + (m + u)\,\delta) < y^*\}, \quad u \sim U[0, 1)

    The reads below the level on a ramp over the crossing are counted. Their number gives the mean crossing, for any
    neuron curve and any distribution of noise. Bisection locates the ramp. Since an input adds to the bias,
    :math:`a(x) = b(0) - b(x)` is its weighted sum, in the bias port's own unit.

    Args:
        bench: The chips.
        x: Inputs, ``(patterns, n_in)``.
        crossing: The level, and its crossing at zero inputs.
        repeats: Ramps.

    Returns:
        ``(repeats, chips, patterns, n_out)``: one value for each ramp; nan for a neuron that never crosses the level.

    Raises:
        NotMeasurableError: If more than 1 % of the sums are too large for the biases of the free range around the
        crossing.
    """
    low, window = _locate(bench, x, crossing)
    step = window / POINTS
    level, toward = crossing.level[:, None, None], crossing.toward[:, None, None]
    found = np.empty((repeats, *low.shape))
    inputs = np.repeat(x, POINTS, axis=0)
    for r in range(repeats):
        start = low + step * bench.random.random(low.shape)
        biases = start[:, :, None] + step[:, :, None] * np.arange(POINTS)[:, None]
        y = bench.read(inputs, _numbers(biases.reshape(bench.count, len(inputs), -1)))
        below = (toward * (y.reshape(biases.shape) - level) < 0).sum(2)
        found[r] = low + step * below
    beyond = np.abs(found.mean(0) - crossing.at[:, None]) > _REACH * crossing.room[:, None]
    if beyond.mean() > _FEW:
        raise NotMeasurableError(
            f"{beyond.mean():.1%} of the weighted sums are out of reach: beyond {np.nanmedian(crossing.room):.2g} no "
            f"bias takes outputs back to one level{_advice(bench, beyond.mean())}"
        )
    return found


def _advice(bench: Bench, beyond: float) -> str:
    """Return advice if most sums are out of reach, since typical inputs are too large."""
    if beyond < _MOST:
        return ""
    printed = "which prints none" if bench.sheet.input_max is None else f"now {bench.sheet.input_max:g}"
    return (
        ". Inputs have a mean square of 1 and should make fresh sums near 1: print the greatest input that the device "
        f"takes as input_max in its datasheet ({printed}), or scale inputs in measure"
    )


def sums(bench: Bench, x: np.ndarray, crossing: Crossing, repeats: int = REPEATS) -> np.ndarray:
    """Return the weighted sums of inputs ``(patterns, n_in)``, ``(repeats, chips, patterns, n_out)``."""
    silent = np.zeros((1, bench.sheet.n_in))
    zero = np.mean([null_biases(bench, silent, crossing, repeats) for _ in range(4)], axis=0)
    return zero - null_biases(bench, x, crossing, repeats)


def _locate(bench: Bench, x: np.ndarray, crossing: Crossing) -> tuple[np.ndarray, np.ndarray]:
    """Find starts and lengths of ramps, ``(chips, patterns, n_out)``."""
    at = np.broadcast_to(crossing.at[:, None], (bench.count, len(x), bench.sheet.n_out))
    room = np.broadcast_to(crossing.room[:, None], at.shape)
    low, high = at - room, at + room
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # The ramp counts signs, not the sign of the mean: a level may lie anywhere between two codes.
        below = (_above(bench, x, middle, crossing, _LOOKS) < 0).mean(2) > 0.5
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    middle = (low + high) / 2
    noise = _above(bench, x, middle, crossing, _LAST_LOOKS).std(2, ddof=1) / crossing.slope[:, None]
    half = _TAILS * noise + 2 * (high - low)
    return middle - half, 2 * half


def _above(bench: Bench, x: np.ndarray, bias: np.ndarray, crossing: Crossing, looks: int) -> np.ndarray:
    """Read several times by how much outputs exceed the level, ``(chips, patterns, looks, n_out)``."""
    y = bench.read(np.repeat(x, looks, axis=0), _numbers(np.repeat(bias, looks, axis=1)))
    y = y.reshape(bench.count, len(x), looks, -1)
    return crossing.toward[:, None, None] * (y - crossing.level[:, None, None])


def _numbers(bias: np.ndarray) -> np.ndarray:
    """Return finite biases, with zero for missing ones."""
    return np.nan_to_num(bias)
