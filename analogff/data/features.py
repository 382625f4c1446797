"""From the columns of a table to the input lines of a chip."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Range:
    r"""How far each column reached in training, and so what a value means.

    Each column drives two lines, one above the middle of its range and one below:

    .. math:: c = \mathrm{clip}\left(\frac{x - m}{h}, -1, 1\right), \qquad (\max(c, 0), \max(-c, 0))

    with middle ``m`` and half-width ``h``. Both are in [0, 1], as a chip's inputs must be, and both are silent for
    a column that is constant in training. A value outside of the range counts as its end.
    """

    middle: np.ndarray
    """Of each column, ``(columns,)``."""
    half: np.ndarray
    """Half the width of its range, ``(columns,)``; infinite for a constant one, which then says nothing."""

    @classmethod
    def of(cls, table: np.ndarray) -> "Range":
        """Return the range of a training table, ``(n, columns)``."""
        low, high = table.min(0), table.max(0)
        return cls(low / 2 + high / 2, np.where(high > low, high / 2 - low / 2, np.inf))

    def lines(self, table: np.ndarray) -> np.ndarray:
        """Return what the lines carry, ``(n, columns)`` to ``(n, 2 columns)`` float32."""
        with np.errstate(over="ignore"):  # a range may be smaller than what a float can be divided by
            # Halves do not overflow where differences would.
            centered = np.clip((table / 2 - self.middle / 2) / (self.half / 2), -1, 1)
        return np.hstack([np.maximum(centered, 0), np.maximum(-centered, 0)]).astype(np.float32)
