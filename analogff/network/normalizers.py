"""Normalizers by the names that a study has for them."""

from typing import Literal

from analogff.network.normalization import L2, GainControl, Length, Normalizer, Unchanged
from analogff.network.standardization import Standardization

Normalization = Literal["length", "l2", "layer", "group", "none", "gain-control"]
"""Names of all normalizers."""


def make_normalizer(name: Normalization, *, groups: int, max_gain: float, offset: float) -> Normalizer:
    """Return the normalizer that a study names.

    Args:
        name: As a study has it.
        groups: Groups of channels, of ``group``.
        max_gain: That of ``gain-control``.
        offset: That of its detector.
    """
    if name == "gain-control":
        return GainControl(max_gain=max_gain, offset=offset)
    if name == "group":
        return Standardization(groups)
    return {"length": Length, "l2": L2, "layer": Standardization, "none": Unchanged}[name]()
