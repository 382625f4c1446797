"""Characterization of a device without a model, by forward reads and pulses alone."""

from analogff.characterize.estimate import Curve, Estimate, Found, NotFound, NotMeasurableError
from analogff.characterize.measured_twin import MeasuredTwin
from analogff.characterize.run import Characterization, characterize
from analogff.characterize.write_down import write_down

__all__ = [
    "Characterization",
    "Curve",
    "Estimate",
    "Found",
    "MeasuredTwin",
    "NotFound",
    "NotMeasurableError",
    "characterize",
    "write_down",
]
