"""All measurements of a study. Each is a file of this folder and a line here."""

import importlib

from analogff.study.measurements.measurement import Measurement

MEASUREMENTS = (
    "goodness",
    "layer_error",
)
"""Files of this folder. Each defines a ``MEASUREMENT``."""


def measurements() -> dict[str, Measurement]:
    """Return all measurements by name, in the order in which their tables are written."""
    modules = (importlib.import_module(f"analogff.study.measurements.{file}") for file in MEASUREMENTS)
    return {module.MEASUREMENT.name: module.MEASUREMENT for module in modules}
