r"""Measured curves: monotone interpolation, the spread of copies, and noise by level.

Each copy's curve is the piecewise cubic through the mean output at each of its inputs that rises and falls only where
the data do (Fritsch and Carlson, SIAM J. Numer. Anal. 17, 238 (1980); the derivatives are those of
`scipy.interpolate.PchipInterpolator`). It is exact at the points; between points :math:`h` apart its error is
:math:`O(h^3)`, and :math:`O(h^2)` next to a maximum or minimum.
"""

import dataclasses

import numpy as np
from scipy.interpolate import PchipInterpolator

from hardware_models.measured_data.header import pair_of
from hardware_models.measured_data.readings import set_points, without_overloads
from hardware_models.measured_data.table import Table

SAMPLES_OF_A_LEVEL = 20
"""Degrees of freedom behind each point of the noise, at least: its standard error is then some 16 %."""
MOST_LEVELS = 12
"""Points of the noise by level."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curves:
    """Curves of several copies of one neuron, in the units of the file."""

    file: str
    """Name of the file."""
    units: tuple[str, str]
    """Of inputs and outputs; empty for plain numbers."""
    breaks: np.ndarray
    """Inputs at which some copy was measured, ``(K,)``, over the range that all of them share."""
    coefficients: np.ndarray
    """Ascending powers of the distance from the break to the left, ``(4, copies, K - 1)``."""
    levels: np.ndarray
    """Outputs at which the noise is known, ``(L,)``; none if no input was measured twice."""
    stds: np.ndarray
    """Standard deviation of one sample there, ``(L,)``."""
    notes: tuple[str, ...] = ()
    """What was done to the readings first."""

    @property
    def copies(self) -> int:
        """How many were measured."""
        return self.coefficients.shape[1]

    @property
    def outputs(self) -> tuple[float, float]:
        """Least and greatest output in the shared range; a monotone interpolation has them at breaks."""
        last = np.diff(self.breaks)[-1] ** np.arange(4) @ self.coefficients[:, :, -1]
        ends = np.concatenate([self.coefficients[0].ravel(), last])
        return float(ends.min()), float(ends.max())


def read_curves(table: Table) -> Curves:
    """Read curves from a table with a column of inputs, one of outputs, and maybe one that names the copy.

    Rows with an overload mark are left out, and readings of one set point count as one input; see `readings`.

    Raises:
        ContractError: If a copy has fewer than two inputs, or the copies' ranges do not overlap.
    """
    pair = pair_of(table)
    table, overloads = without_overloads(table, pair.input, pair.output)
    x, merged = set_points(table.numbers(pair.input))
    y, copies = table.numbers(pair.output), np.array(table.copies())
    means, spreads = [], []
    for copy in sorted(set(copies.tolist())):
        inputs, of_row, repeats = np.unique(x[copies == copy], return_inverse=True, return_counts=True)
        of_copy = y[copies == copy]
        if len(inputs) < 2:
            name = f" ({copy})" if copy else ""
            raise table.refusal("two different inputs or more for each copy", f"one{name}", "Measure more points.")
        mean = np.bincount(of_row, of_copy) / repeats
        means.append(PchipInterpolator(inputs, mean))
        squares = np.bincount(of_row, (of_copy - mean[of_row]) ** 2)
        spreads.append(np.stack([mean, squares, repeats - 1])[:, repeats > 1])
    low, high = max(curve.x[0] for curve in means), min(curve.x[-1] for curve in means)
    if not low < high:
        got = f"copies of which one starts at {low:g} and one ends at {high:g}"
        raise table.refusal("copies measured over a common range", got, "Measure them over the same range.")
    breaks = np.unique(np.concatenate([curve.x for curve in means]))
    breaks = breaks[(breaks >= low) & (breaks <= high)]
    levels, stds = _noise(np.concatenate(spreads, axis=1))
    return Curves(
        file=table.file,
        units=pair.units,
        breaks=breaks,
        coefficients=np.stack([_powers(curve, breaks[:-1]) for curve in means], axis=1),
        levels=levels,
        stds=stds,
        notes=tuple(filter(None, (overloads, merged))),
    )


def _powers(curve: PchipInterpolator, breaks: np.ndarray) -> np.ndarray:
    """Return the cubic to the right of each break, ``(4, breaks)``; a copy has fewer of its own."""
    factorials = np.array([1.0, 1.0, 2.0, 6.0])
    return np.stack([curve(breaks, nu=n) / factorials[n] for n in range(4)])


def _noise(spreads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pool the variances of neighboring levels.

    Args:
        spreads: Means, sums of squares and degrees of freedom, ``(3, points)``.
    """
    if not spreads.shape[1]:
        return np.empty(0), np.empty(0)
    means, squares, degrees = spreads[:, np.argsort(spreads[0], kind="stable")]
    groups = int(np.clip(degrees.sum() // SAMPLES_OF_A_LEVEL, 1, min(MOST_LEVELS, len(means))))
    of_point = ((np.cumsum(degrees) - degrees / 2) / degrees.sum() * groups).astype(int)
    count = np.bincount(of_point, degrees, groups)
    kept = count > 0
    levels = np.bincount(of_point, degrees * means, groups)[kept] / count[kept]
    stds = np.sqrt(np.bincount(of_point, squares, groups)[kept] / count[kept])
    levels, first = np.unique(levels, return_index=True)
    return levels, stds[first]
