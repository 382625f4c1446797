"""Pulses against conductance: the step of a cell by its state, up and down, and what is left of it as noise."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from hardware_models.measured_data.readings import marked
from hardware_models.measured_data.table import Table

POINTS = 65
"""Of the tables of steps, evenly over each cell's range."""
_BINS = 16
_UP = {"up": 1, "potentiation": 1, "set": 1, "+": 1, "1": 1, "+1": 1}
_DOWN = {"down": -1, "depression": -1, "reset": -1, "-": -1, "-1": -1}
_DIRECTIONS = _UP | _DOWN


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pulses:
    """Measured cells, each between its least and its greatest conductance; directions are up, then down."""

    file: str
    """Name of the file."""
    least: np.ndarray
    """Siemens, ``(cells,)``."""
    greatest: np.ndarray
    """Siemens, ``(cells,)``."""
    steps: np.ndarray
    """Mean size of a step, in shares of the cell's range, ``(2, cells, POINTS)``."""
    noise: np.ndarray
    """Standard deviation of a step, likewise, of all cells together, ``(2, POINTS)``."""

    @property
    def cells(self) -> int:
        """How many were measured."""
        return len(self.least)

    @property
    def middle(self) -> float:
        """Siemens in the middle of the mean range."""
        return float(self.least.mean() + self.greatest.mean()) / 2

    @property
    def half(self) -> float:
        """Siemens from there to the end of the mean range."""
        return float(self.greatest.mean() - self.least.mean()) / 2


def read_pulses(table: Table) -> Pulses:
    """Read pulses from a table with columns ``pulse`` and ``conductance_siemens``.

    A row tells the conductance after a pulse, and pulse 0 the one before the first. Pulses go up where ``direction``
    says up or, without that column, where their number is positive. Each cell, and each ``cycle`` of it if there is
    such a column, is one sweep: in the order of the numbers if they run through it, and else first up, then down from
    where that ended.

    Raises:
        ContractError: If rows contradict each other, or a cell was not pulsed both ways.
    """
    numbers, siemens, signs = table.numbers("pulse"), table.numbers("conductance_siemens"), _signs(table)
    if marked(siemens).any():
        got = f"an overload mark in line {table.lines[int(np.argmax(marked(siemens)))]}"
        raise table.refusal("a reading after every pulse", got, "Measure in a wider range.")
    if (siemens < 0).any():
        line = table.lines[int(np.argmax(siemens < 0))]
        raise table.refusal("conductances of 0 or more", f"{siemens.min():g} in line {line}", "Mend its sign.")
    cells, cycles = table.copies(), table.texts("cycle") if "cycle" in table.header else [""] * len(numbers)
    sweeps: dict[str, dict[str, list[int]]] = {}
    for row, (cell, cycle) in enumerate(zip(cells, cycles, strict=True)):
        sweeps.setdefault(cell, {}).setdefault(cycle, []).append(row)
    least, greatest, fits = [], [], []
    for cell, of_cycles in sorted(sweeps.items()):
        own = np.concatenate(list(map(np.array, of_cycles.values())))
        low, high = siemens[own].min(), siemens[own].max()
        if not low < high:
            raise table.refusal("a conductance that changes", f"{low:g} S all along{_of(cell)}", "Check the column.")
        moves = [m for rows in of_cycles.values() for m in _moves(table, numbers, siemens, signs, np.array(rows))]
        fits.append([_fit(table, cell, moves, sign, low, high) for sign in (1, -1)])
        least.append(low)
        greatest.append(high)
    up_and_down = list(zip(*fits, strict=True))
    return Pulses(
        file=table.file,
        least=np.array(least),
        greatest=np.array(greatest),
        steps=np.array([[fit.steps for fit in of_cells] for of_cells in up_and_down]),
        noise=np.array([_spread(of_cells) for of_cells in up_and_down]),
    )


def _signs(table: Table) -> np.ndarray:
    """Return the direction of each pulse, 1 or -1; 0 before the first."""
    numbers = table.numbers("pulse")
    if "direction" not in table.header:
        return np.sign(numbers)
    if (numbers < 0).any():
        line = table.lines[int(np.argmax(numbers < 0))]
        advice = "Remove the signs, or the column."
        raise table.refusal("pulses without a sign beside a direction", f"{numbers.min():g} in line {line}", advice)
    given = [text.lower() for text in table.texts("direction")]
    for text, line in zip(given, table.lines, strict=True):
        if text not in _DIRECTIONS:
            raise table.refusal("a direction of up or down", f"{text!r} in line {line}", "Write up or down.")
    return np.array([_DIRECTIONS[text] for text in given])


def _moves(
    table: Table, numbers: np.ndarray, siemens: np.ndarray, signs: np.ndarray, rows: np.ndarray
) -> Iterator[tuple[int, float, float]]:
    """Yield direction, conductance before and change of each pulse of one sweep."""
    counts = np.abs(numbers)
    through = len(np.unique(counts[rows])) == len(rows)  # numbered through, whatever comes first
    order = rows[np.argsort(counts[rows]) if through else np.lexsort((counts[rows], signs[rows] < 0))]
    for before, after in zip(order, order[1:], strict=False):
        turned = not through and signs[after] < 0 <= signs[before]
        if turned and counts[after] == 0:
            continue  # it tells where pulses down start
        pulses = 1 if turned else counts[after] - counts[before]
        lines = table.lines[before], table.lines[after]
        if pulses == 0:
            advice = "Give cells a column cell, and repeated sweeps a column cycle."
            got = f"pulse {counts[after]:g} in lines {lines[0]} and {lines[1]}"
            raise table.refusal("each pulse of a direction once", got, advice)
        if pulses != 1:
            got = f"{pulses:g} of them from line {lines[0]} to line {lines[1]}"
            raise table.refusal("a row for every pulse", got, "Record each pulse, or number them anew.")
        yield int(signs[after]), float(siemens[before]), float(siemens[after] - siemens[before])


class _Fit(NamedTuple):
    """A cell in one direction, in shares of its range."""

    steps: np.ndarray
    """Mean step at even points, ``(POINTS,)``."""
    state: np.ndarray
    """Where each step began, ``(steps,)``."""
    residual: np.ndarray
    """What it was off by, ``(steps,)``."""


def _fit(table: Table, cell: str, moves: list[tuple[int, float, float]], sign: int, low: float, high: float) -> _Fit:
    """Fit a cell's mean steps in one direction."""
    state, change = np.array([(g, d) for towards, g, d in moves if towards == sign]).reshape(-1, 2).T
    way = "up" if sign > 0 else "down"
    if len(state) < 2:
        got = str(len(state)) if len(state) else "none"
        raise table.refusal(f"two pulses {way} or more{_of(cell)}", got, "Measure both directions.")
    state, size = (state - low) / (high - low), sign * change / (high - low)
    free = state < 1 if sign > 0 else state > 0  # a cell at its end shows the end, not its step
    mean = _Line(*_bin_means(state[free], size[free]))
    steps = mean(np.linspace(0, 1, POINTS)).clip(min=0)
    if size.mean() <= 0 or not steps.any():
        expected, got = f"pulses {way} that on average move a cell {way}", "fell" if sign > 0 else "rose"
        raise table.refusal(expected, f"one that {got}{_of(cell)}", "Swap directions, or record more pulses.")
    return _Fit(steps, state[free], size[free] - mean(state[free]))


def _bin_means(state: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean state and value in even bins of the state; where there are few, each state is a bin."""
    if len(state) <= _BINS:
        of_bin = np.unique(state, return_inverse=True)[1]
    else:
        even = (state * _BINS).astype(int).clip(0, _BINS - 1)
        of_bin = _filled(np.bincount(even, minlength=_BINS), len(state) / (4 * _BINS))[even]
    count = np.bincount(of_bin)
    return np.bincount(of_bin, state) / count, np.bincount(of_bin, value) / count


def _filled(counts: np.ndarray, enough: float) -> np.ndarray:
    """Return which group each bin belongs to, where neighbors join until they hold enough."""
    groups, group, inside = np.zeros(len(counts), dtype=int), 0, 0
    for n, count in enumerate(counts):
        groups[n], inside = group, inside + count
        if inside >= enough:
            group, inside = group + 1, 0
    return groups


class _Line:
    """A monotone-preserving curve through points that goes straight on at its ends."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        self.x, self.y = x, y
        self.slopes = np.diff(y) / np.diff(x) if len(x) > 1 else np.zeros(1)
        self.inside = PchipInterpolator(x, y) if len(x) > 1 else None

    def __call__(self, at: np.ndarray) -> np.ndarray:
        x, y = self.x, self.y
        held = at.clip(x[0], x[-1])
        inside = np.full_like(at, y[0]) if self.inside is None else self.inside(held)
        return inside + (at - held) * np.where(at < x[0], self.slopes[0], self.slopes[-1])


def _spread(fits: Sequence[_Fit]) -> np.ndarray:
    """Return the root mean square of what steps are off by, by state at even points, ``(POINTS,)``."""
    state, residual = (np.concatenate([getattr(fit, name) for fit in fits]) for name in ("state", "residual"))
    return np.sqrt(np.interp(np.linspace(0, 1, POINTS), *_bin_means(state, residual**2)))


def _of(cell: str) -> str:
    return f" (cell {cell})" if cell else ""
