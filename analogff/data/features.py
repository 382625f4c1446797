"""Encoding of the columns of a table on the input lines of a chip."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Range:
    r"""The range of each column in training, which defines its encoding.

    Each column drives two lines, one above the middle of its range and one below:

    .. math:: c = \mathrm{clip}\left(\frac{x - m}{h}, -1, 1\right), \qquad (\max(c, 0), \max(-c, 0))

    with middle ``m`` and half-width ``h``. Both are in [0, 1], as a chip requires. Both are zero for a column that is
    constant in training. Values outside of the range are clipped.
    """

    middle: np.ndarray
    """Middle of each column's range, ``(columns,)``."""
    half: np.ndarray
    """Half the width of its range, ``(columns,)``; infinite for a constant column, which then gives zero."""

    @classmethod
    def of(cls, table: np.ndarray) -> "Range":
        """Return the range of a training table, ``(n, columns)``."""
        low, high = table.min(0), table.max(0)
        return cls(low / 2 + high / 2, np.where(high > low, high / 2 - low / 2, np.inf))

    def lines(self, table: np.ndarray) -> np.ndarray:
        """Return the signals of the lines, ``(n, columns)`` to ``(n, 2 columns)`` float32."""
        with np.errstate(over="ignore"):  # a range may be too small to divide by
            # Halves cannot overflow, differences can.
            centered = np.clip((table / 2 - self.middle / 2) / (self.half / 2), -1, 1)
        return np.hstack([np.maximum(centered, 0), np.maximum(-centered, 0)]).astype(np.float32)
