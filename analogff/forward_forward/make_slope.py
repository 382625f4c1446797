"""From a word to a way of knowing slopes."""

from typing import Literal

from analogff.forward_forward.fitted import Fitted
from analogff.forward_forward.probing import ProbeSize
from analogff.forward_forward.slopes import Assumed, Oracle, Probed, Slope

Probe = float | Literal["measured"]


def make_slope(name: str, probe: Probe) -> Slope:
    """Return the slope of a name for one layer: assumed, probed, fitted or oracle."""
    size = ProbeSize(None if probe == "measured" else float(probe))
    made = {"assumed": Assumed, "probed": lambda: Probed(size), "fitted": lambda: Fitted(size), "oracle": Oracle}
    return made[name]()
