"""What writes need beside the array that they change."""

import dataclasses

from analogff.device import Observable


@dataclasses.dataclass(frozen=True, kw_only=True)
class WriteHardware:
    """What the controller of a layer's writes is given, for each layer that is an array of cells.

    It is no part of what a rule sees: a rule writes through it, and its reads and pulses are counted as any others.
    """

    arrays: int = 0
    """Further arrays of the same cells, each with a seed of its own."""
    significance: float | None = None
    """Significance of each further array in the layer's weights, over that of the one before; see `Tiles`. None if
    they are no part of them."""
    reads_back: bool = False
    """Whether the controller reads the layer's own array, by the printed curve."""
    level: Observable = Observable.TWIN
    """What it sees of arrays: TWIN, the printed curve, or ORACLE, their true weights, which is a bound."""
