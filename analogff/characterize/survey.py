"""First survey of the neurons: mean and noise of their outputs over a wide sweep."""

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
"""Greatest sweep."""
_GROWTH = 1.05  # share of the outputs' span above which the sweep is widened
_SMOOTHED = 5  # levels averaged before the extremes of a curve are located
_SURE = 3.0  # standard errors by which a mean must differ from a level


@dataclasses.dataclass(frozen=True)
class Crossing:
    """Approximate crossings of an output level; all ``(chips, n_out)``, nan for a neuron without one."""

    at: np.ndarray
    """Bias."""
    room: np.ndarray
    """Free range: biases within this distance are on the correct side."""
    slope: np.ndarray
    """Steepness there, a positive number."""
    toward: np.ndarray
    """1 if the output rises there, -1 if it falls."""
    level: np.ndarray
    """The level."""


@dataclasses.dataclass(frozen=True)
class Survey:
    """Outputs over a sweep of the bias with zero inputs, or of the inputs' size without a bias port."""

    drive: np.ndarray
    """Biases or input sizes, ascending, ``(levels,)``."""
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

        A quarter of the repeats locates the extremes and the others measure them, since the greatest of many noisy
        means is biased. The parts do not exchange roles: if both chose the same level, both would be biased there and
        seem to agree.
        """
        return span_between(self.outputs[~self.choosing], extremes(self.outputs[self.choosing]))

    @property
    def choosing(self) -> np.ndarray:
        """Repeats that locate the extremes, ``(repeats,)``."""
        return np.arange(len(self.outputs)) % 4 == 0

    @property
    def orientation(self) -> np.ndarray:
        """1 for a neuron that rises overall, -1 for one that falls, ``(chips, n_out)``."""
        centered = self.mean - self.mean.mean(1, keepdims=True)
        return np.where(np.einsum("ckj,k->cj", centered, self.drive - self.drive.mean()) < 0, -1.0, 1.0)

    def level(self, share: float) -> np.ndarray:
        """Return an output at a share of each neuron's span, ``(chips, n_out)``."""
        return self.mean.min(1) + share * self.span

    def middle(self) -> Crossing:
        """Return the crossings of half of the neurons' range.

        Raises:
            NotMeasurableError: If no neuron of a chip has one.
        """
        crossing = self.crossing(self.level(0.5))
        if np.isnan(crossing.at).all(1).any():
            raise NotMeasurableError("no neuron of some chip passes half of its range")
        return crossing

    def crossing(self, level: np.ndarray) -> Crossing:
        """Return the approximate crossing of a level ``(chips, n_out)`` by each rising (or falling) neuron."""
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
        """Return the upward crossing nearest to zero, the free range on both sides of it, and the slope there."""
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
    """Return the widest useful sweep: the reach doubles as long as the outputs keep growing.

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
