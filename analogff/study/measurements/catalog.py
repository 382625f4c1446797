"""All measurements of a study. Each is a file of this folder and a line here."""

import importlib

import pyarrow as pa

from analogff.data import Dataset
from analogff.learning.rule import Rule
from analogff.study.measurements.diagnostics import DIAGNOSTICS
from analogff.study.measurements.life import EVENTS
from analogff.study.measurements.measurement import Due, Measurement, Table
from analogff.study.task import Task

MEASUREMENTS = (
    "goodness",
    "layer_error",
)
"""Files of this folder. Each defines a ``MEASUREMENT``."""


def measurements() -> dict[str, Measurement]:
    """Return all measurements by name, in the order in which their tables are written."""
    modules = (importlib.import_module(f"analogff.study.measurements.{file}") for file in MEASUREMENTS)
    return {module.MEASUREMENT.name: module.MEASUREMENT for module in modules}


def take(due: Due, task: Task, rule: Rule, data: Dataset, epoch: int) -> dict[str, pa.Table]:
    """Take what is due, and return the tables of what the rule has by name."""
    taken = {m.name: m.table(task, rule, data, epoch) for m in measurements().values() if m.due is due}
    return {name: table for name, table in taken.items() if table is not None}


def declared_tables() -> dict[str, Table]:
    """Return all tables besides the results: measurements, diagnostics along training, and the events of lives."""
    return {**measurements(), DIAGNOSTICS.name: DIAGNOSTICS, EVENTS.name: EVENTS}
