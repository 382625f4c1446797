"""All measurements of a study. Each is a file of this folder and a line here."""

import importlib

from analogff.study.measurements.life import EVENTS
from analogff.study.measurements.measurement import Measurement, Table

MEASUREMENTS = (
    "goodness",
    "layer_error",
)
"""Files of this folder. Each defines a ``MEASUREMENT``."""


def measurements() -> dict[str, Measurement]:
    """Return all measurements by name, in the order in which their tables are written."""
    modules = (importlib.import_module(f"analogff.study.measurements.{file}") for file in MEASUREMENTS)
    return {module.MEASUREMENT.name: module.MEASUREMENT for module in modules}


def declared_tables() -> dict[str, Table]:
    """Return all tables besides the results: measurements, and the events of lives."""
    return {**measurements(), EVENTS.name: EVENTS}
