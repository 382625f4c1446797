"""The first look at the neurons: mean and noise of their outputs over a wide sweep."""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.ndimage import uniform_filter1d

from analogff.characterize.estimate import NotMeasurableError

LEVELS = 65
REPEATS = 16
REACH = 4.0
"""First sweep, in weighted sums of typical size 1."""
FURTHEST = 16.0
"""Last sweep that is tried."""
_GROWTH = 1.05  # of the outputs' span, above which a wider sweep is worth it
_SMOOTHED = 5  # levels averaged before the extremes of a curve are looked for
_SURE = 3.0  # standard errors, beyond which a mean is on one side of a level


@dataclasses.dataclass(frozen=True)
class Crossing:
    """Where neurons pass a level of output, roughly; all ``(chips, n_out)``, nan where one never does."""

    at: np.ndarray
    """Bias."""
    room: np.ndarray
    """Biases this near to it are on the side they should be."""
    slope: np.ndarray
    """Steepness there, a positive number."""
    toward: np.ndarray
    """1 if the output rises there, -1 if it falls."""
    level: np.ndarray
    """The level."""


@dataclasses.dataclass(frozen=True)
class Survey:
    """Outputs over a sweep of the bias with silent inputs, or of the inputs' size where there is no bias port."""

    drive: np.ndarray
    """Biases or input sizes, rising, ``(levels,)``."""
    outputs: np.ndarray
    """Every read, ``(repeats, chips, levels, n_out)``."""
    by_bias: bool
    """Whether the drive is a bias."""

    @property
    def unit(self) -> str:
        """Unit of the drive."""
        return "sum" if self.by_bias else "input"

    @property
    def mean(self) -> np.ndarray:
        """``(chips, levels, n_out)``."""
        return self.outputs.mean(0)

    @property
    def span(self) -> np.ndarray:
        """Greatest less least mean output, ``(chips, n_out)``."""
        return np.ptp(self.mean, axis=1)

    def ranges(self) -> np.ndarray:
        """Return greatest less least output of single reads, ``(repeats, chips, n_out)``.

        The levels of the extremes come from a quarter of the repeats and the outputs from the others, since the
        greatest of many noisy means is too great. Not each way around: parts that chose the same level are both too
        great there, so that they would seem to agree better than they do.
        """
        return span_between(self.outputs[~self.choosing], extremes(self.outputs[self.choosing]))

    @property
    def choosing(self) -> np.ndarray:
        """Which repeats the levels of the extremes come from, ``(repeats,)``."""
        return np.arange(len(self.outputs)) % 4 == 0

    @property
    def orientation(self) -> np.ndarray:
        """1 for a neuron that rises on the whole, -1 for one that falls, ``(chips, n_out)``."""
        centered = self.mean - self.mean.mean(1, keepdims=True)
        return np.where(np.einsum("ckj,k->cj", centered, self.drive - self.drive.mean()) < 0, -1.0, 1.0)

    def level(self, share: float) -> np.ndarray:
        """Return an output at a share of each neuron's span, ``(chips, n_out)``."""
        return self.mean.min(1) + share * self.span

    def middle(self) -> Crossing:
        """Return where neurons pass half of their range.

        Raises:
            NotMeasurableError: If none of a chip does.
        """
        crossing = self.crossing(self.level(0.5))
        if np.isnan(crossing.at).all(1).any():
            raise NotMeasurableError("no neuron of some chip passes half of its range")
        return crossing

    def crossing(self, level: np.ndarray) -> Crossing:
        """Return about where each neuron passes a level ``(chips, n_out)`` on its way up (or down, if it falls)."""
        toward = self.orientation[:, None]
        error = self.outputs.std(0, ddof=1) / len(self.outputs) ** 0.5
        error = np.maximum(error, 1e-6 * self.span[:, None])
        above = toward * (self.mean - level[:, None])
        side = np.where(np.abs(above) > _SURE * error, np.sign(above), 0)
        chips, neurons = level.shape
        at, room, slope = (np.full((chips, neurons), np.nan) for _ in range(3))
        for c in range(chips):
            for j in range(neurons):
                at[c, j], room[c, j], slope[c, j] = self._pass(side[c, :, j], above[c, :, j])
        return Crossing(at, room, slope, toward[:, 0], level)

    def _pass(self, side: np.ndarray, above: np.ndarray) -> tuple[float, float, float]:
        """Return the upward passage nearest to zero, the free way on both sides of it, and the slope there."""
        sure = np.flatnonzero(side)
        pairs = [(a, b) for a, b in zip(sure, sure[1:], strict=False) if side[a] < side[b]]
        others = [
            (self.drive[a] + self.drive[b]) / 2 for a, b in zip(sure, sure[1:], strict=False) if side[a] > side[b]
        ]
        if not pairs:
            return np.nan, np.nan, np.nan
        places = [np.interp(0.0, above[[a, b]], self.drive[[a, b]]) for a, b in pairs]
        nearest = int(np.argmin(np.abs(places)))
        (a, b), at = pairs[nearest], places[nearest]
        stops = [*others, self.drive[0], self.drive[-1]]
        slope = (above[b] - above[a]) / (self.drive[b] - self.drive[a])
        return at, min(abs(stop - at) for stop in stops), slope


def extremes(outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at which levels reads ``(repeats, chips, levels, n_out)`` are greatest and least, ``(chips, n_out)``."""
    mean = uniform_filter1d(outputs.mean(0), _SMOOTHED, axis=1, mode="nearest")
    return mean.argmax(1), mean.argmin(1)


def span_between(outputs: np.ndarray, levels: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return outputs ``(..., chips, levels, n_out)`` at one level a neuron less those at another."""
    index = [level.reshape((1,) * (outputs.ndim - 3) + (level.shape[0], 1, level.shape[1])) for level in levels]
    top, bottom = (np.take_along_axis(outputs, i, -2)[..., 0, :] for i in index)
    return top - bottom


def widen(sweep: Callable[[float], Survey]) -> Survey:
    """Return the widest sweep that is worth it: the reach doubles as long as the outputs go on growing.

    Args:
        sweep: Sweeps the drive from minus its argument to plus its argument.
    """
    reach, found = REACH, sweep(REACH)
    while reach < FURTHEST:
        wider = sweep(2 * reach)
        if np.median(wider.span) < _GROWTH * np.median(found.span):
            break
        reach, found = 2 * reach, wider
    return found
