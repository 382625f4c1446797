"""A measurement: a table of a study besides its errors, such as the errors of each layer alone."""

import dataclasses
import enum
from collections.abc import Callable, Mapping

import pyarrow as pa

from analogff.data import Dataset, Split
from analogff.learning.rule import Rule
from analogff.network import evaluating
from analogff.study.task import Task

IMAGES = 1000
"""Greatest number of images of a measurement."""


class Due(enum.Enum):
    """When a measurement is taken."""

    EVERY_EVALUATION = enum.auto()
    """After each evaluated epoch."""
    LAST_EVALUATION = enum.auto()
    """After the last epoch."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a study besides the results."""

    name: str
    """Name of the table, and of the folder of its parts."""
    columns: Mapping[str, pa.DataType]
    """Columns after ``run``, with units in their names. The study adds the columns that identify runs."""
    key: tuple[str, ...]
    """Columns that identify the rows of a run; tables are sorted by them."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measurement(Table):
    """One table of measurements, defined in one file.

    Raises:
        ValueError: If its key does not identify rows.
    """

    due: Due
    """When it is taken."""
    take: Callable[[Task, Rule, Dataset, int], pa.Table | None]
    """Called with the task, its rule, the data and the epoch; returns columns ``run`` and `columns`, or None if the
    rule has nothing to measure."""

    def __post_init__(self):
        missing = [column for column in self.key if column not in self.columns]
        if missing or (self.due is Due.EVERY_EVALUATION and "epoch" not in self.key):
            raise ValueError(
                f"Expected measurement {self.name} with a key among its columns, the epoch in it if every epoch is "
                f"measured. Got the key {self.key}. Name columns that tell the rows of a run apart."
            )

    def table(self, task: Task, rule: Rule, data: Dataset, epoch: int) -> pa.Table | None:
        """Take the measurement, with all reads booked under evaluation.

        Raises:
            ValueError: If it returns other columns, or a row twice.
        """
        with evaluating(rule.network):
            table = self.take(task, rule, data, epoch)
        if table is None:
            return None
        expected, rows = ["run", *self.columns], ["run", *self.key]
        if table.column_names != expected:
            raise ValueError(
                f"Expected measurement {self.name} with the columns {', '.join(expected)}. Got "
                f"{', '.join(table.column_names)}. Return what it declares."
            )
        if table.select(rows).group_by(rows).aggregate([]).num_rows != len(table):
            raise ValueError(
                f"Expected measurement {self.name} with each {', '.join(rows)} once. Got one twice. Add what tells the "
                "rows apart to its key."
            )
        return table


def measured_images(data: Dataset) -> Split:
    """Return the images of measurements: validation images if there are any, else training images."""
    split = data.validation if len(data.validation) else data.train
    return Split(split.images[:IMAGES], split.labels[:IMAGES])
