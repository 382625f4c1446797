"""Defects: stuck cells and dead lines, drawn once, as masks."""

from typing import NamedTuple

import torch


class Stuck(NamedTuple):
    """Stuck cells, as disjoint masks."""

    low: torch.Tensor
    """At the lower end of their range (open: never formed, or a broken via)."""
    high: torch.Tensor
    """At the upper end (short)."""
    anywhere: torch.Tensor
    """Between the ends."""

    @property
    def at_all(self) -> torch.Tensor:
        """All stuck cells."""
        return self.low | self.high | self.anywhere


def stuck(uniform: torch.Tensor, low: torch.Tensor, high: torch.Tensor, anywhere: torch.Tensor) -> Stuck:
    """Draw whether and how each cell is stuck.

    One uniform number decides. So a larger share keeps the cells of a smaller one of its kind, if the preceding shares
    are equal.

    Args:
        uniform: From [0, 1), one a cell.
        low: Share of the cells at the lower end.
        high: Share at the upper end.
        anywhere: Share between the ends; the three shares sum to at most 1.

    Reference:
        Shares of measured arrays: 13.5 and 9.8 % corrupt (Gong et al., IEDM 2022, as aihwkit's ReRAM array presets);
        about 10 % of a test chip (Chen et al., IEEE Trans. Computers 64, 180, 2015, as cited by Aguirre et al.,
        Electronics 10, 2427, 2021). How they divide over the two ends has no source here.
    """
    is_low = uniform < low
    is_high = ~is_low & (uniform < low + high)
    return Stuck(is_low, is_high, ~is_low & ~is_high & (uniform < low + high + anywhere))


def held(
    cells: torch.Tensor, stuck: Stuck, lower: torch.Tensor, upper: torch.Tensor, place: torch.Tensor
) -> torch.Tensor:
    """Return the cells with the stuck ones at their stuck values.

    Args:
        cells: Cells without defects.
        stuck: The stuck cells.
        lower: Lower end of their range.
        upper: Upper end.
        place: From [0, 1), one for each cell: position between the ends of those that are stuck anywhere.
    """
    held = torch.where(stuck.anywhere, lower + place * (upper - lower), cells)
    held = torch.where(stuck.low, lower, held)
    return torch.where(stuck.high, upper, held)


def dead(uniform: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Draw whether each line is dead; a larger share keeps the lines of a smaller one.

    Shapes:
        ``uniform``: ``(chips, 1, lines)``; ``share`` broadcasts; returns booleans ``(chips, 1, lines)``.

    Args:
        uniform: From [0, 1), one a line.
        share: Mean share of dead lines.
    """
    return uniform < share


def silenced(signals: torch.Tensor, dead: torch.Tensor) -> torch.Tensor:
    """Return signals with dead lines at zero: inputs that do not reach the array, or sums that are not sensed.

    Shapes:
        ``signals``: ``(chips, batch, lines)``, inputs for dead rows, sums for dead columns.
    """
    return signals.masked_fill(dead, 0)
