"""Inputs of several kinds, which a layer reads one kind after the other."""

from collections.abc import Callable, Sequence

import torch

from analogff.device import Sealed, SharedInputs
from analogff.network.forward import Passed, Signal
from analogff.slopes.slopes import Reading, Slope


def apart(x: Signal, kinds: int) -> list[Signal]:
    """Split inputs that follow each other kind by kind, ``(chips, kinds batch, n_in)``."""
    if isinstance(x, SharedInputs):
        return [SharedInputs(x.shared, marks) for marks in x.marks.chunk(kinds, dim=1)]
    return list(x.chunk(kinds, dim=1))


def joined(readings: Sequence[Reading]) -> Reading:
    """Return what a layer showed of all kinds."""
    slopes = [reading.slope for reading in readings if reading.slope is not None]
    return Reading(torch.cat([reading.y for reading in readings], 1), torch.cat(slopes, 1) if slopes else None)


def side_by_side(
    layers: Sequence[Sealed], slopes: Sequence[Slope], inputs: Sequence[Signal], between: Callable[[int], None] | None
) -> list[Reading]:
    """Read layers, none of which waits for another, with positive inputs and as many negative ones behind them.

    Args:
        layers: The layers.
        slopes: How each is read.
        inputs: Of each, of both kinds.
        between: Called between the kinds with the number of positive inputs; both are read at once if None.
    """
    read = list(zip(layers, slopes, strict=True))
    if between is None:
        return [slope.read(layer, x) for (layer, slope), x in zip(read, inputs, strict=True)]
    positive, negative = zip(*(apart(x, 2) for x in inputs), strict=True)
    first = [slope.read(layer, x) for (layer, slope), x in zip(read, positive, strict=True)]
    between(positive[0].shape[1])
    second = [slope.read_on(layer, x) for (layer, slope), x in zip(read, negative, strict=True)]
    return [joined(both) for both in zip(first, second, strict=True)]


def passed_together(parts: Sequence[Passed[Reading]], x: Signal | None = None) -> Passed[Reading]:
    """Return one layer that all kinds have passed.

    Args:
        parts: The layer, passed by each of them.
        x: What all were read with, if it is at hand.
    """
    whole = torch.cat([part.x for part in parts], 1) if x is None else x  # type: ignore[misc] (written out then)
    return Passed(parts[0].layer, whole, joined([part.reading for part in parts]))
