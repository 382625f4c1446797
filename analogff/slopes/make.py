"""From a word to a way of knowing slopes."""

from typing import Literal

from analogff.slopes.fitted import Fitted
from analogff.slopes.probe_size import ProbeSize
from analogff.slopes.slopes import Activity, Assumed, Oracle, Probed, Slope
from analogff.slopes.stand_ins import Cosine, One

Probe = float | Literal["measured"]


def make_slope(name: str, probe: Probe, activity: Activity = "read") -> Slope:
    """Return the slope of a name for one layer: assumed, probed, fitted, oracle, one or cosine."""
    size = ProbeSize(None if probe == "measured" else float(probe))
    probed = Probed(size, activity)
    made = {"assumed": Assumed, "probed": lambda: probed, "fitted": lambda: Fitted(probed), "oracle": Oracle}
    made |= {"one": One, "cosine": Cosine}
    return made[name]()
