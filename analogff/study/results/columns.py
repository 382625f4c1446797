"""The columns of the results, common to all parts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from analogff.study.measurements.catalog import declared_tables
from analogff.study.task import Run, column_value
from analogff.training.epoch import NUMBERS

RESULTS = "results"
"""The table with a row for each run and evaluated epoch; other tables have the names of their measurements."""
_TYPES = {float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


class Columns:
    """One schema for all parts of a study, so that they can be read together at any time.

    Args:
        runs: All runs of the study.
        metadata: Texts to keep in every part.
    """

    def __init__(self, runs: Sequence[Run], metadata: Mapping[str, str]):
        self._runs = {run.key: run for run in runs}
        cases = {id(run.case): run.case for run in runs}.values()
        labels: dict[str, set[type]] = {"rule": set()}
        labels |= {f"rule.{name}": set() for case in cases for name in case.shown.options}
        for case in cases:
            for name, value in case.labels.items():
                labels.setdefault(name, set()).add(type(column_value(value)))
        self._labels = {name: _type(kinds) for name, kinds in labels.items()}
        self._swept = ["rule", *next(iter(self._runs.values())).case.values]
        self._metadata = dict(metadata)
        identity = {"chip": pa.int64(), "seed": pa.int64(), "epoch": pa.int64()}
        numbers = {name: _TYPES[kind] for name, kind in NUMBERS.items()}
        ends = {"stopped_by": pa.string(), "wall_seconds": pa.float64()}
        results = self._schema({"run": pa.string()} | self._labels | identity | numbers | ends)
        swept = {"run": pa.string()} | {name: self._labels[name] for name in self._swept}
        measured = {name: self._schema({**swept, **m.columns}) for name, m in declared_tables().items()}
        self.schemas: dict[str, pa.Schema] = measured | {RESULTS: results}
        """Schema of each table, results last."""

    def fit(self, table: pa.Table, schema: pa.Schema) -> bool:
        """Return whether a table has a schema and the present labels of its runs."""
        named = [name for name in schema.names if name in self._labels]
        return table.schema.equals(schema) and self.label(table, schema).select(named).equals(table.select(named))

    def label(self, table: pa.Table, schema: pa.Schema) -> pa.Table:
        """Return a table with a schema and the labels of its runs; unplanned runs have none."""
        runs = [self._runs.get(key) for key in table["run"].to_pylist()]
        parts = [self._column(field, table, runs) for field in schema]
        return pa.Table.from_arrays(parts, schema=schema)

    def _column(self, field: pa.Field, table: pa.Table, runs: list[Run | None]) -> Any:
        if field.name in self._labels:
            values = [column_value(run.case.labels.get(field.name)) if run else None for run in runs]
            as_text = field.type == pa.string()
            return pa.array([str(v) if as_text and v is not None else v for v in values], field.type)
        if field.name in ("chip", "seed") and field.name not in table.schema.names:
            return pa.array([getattr(run, field.name) for run in runs], field.type)
        return table[field.name].cast(field.type).combine_chunks()

    def _schema(self, types: Mapping[str, pa.DataType]) -> pa.Schema:
        return pa.schema([pa.field(n, t) for n, t in types.items()], metadata=self._metadata)


def _type(kinds: set[type]) -> pa.DataType:
    """Return the type of a column for values of some types: numbers if all are numbers, else text."""
    kinds = kinds - {type(None)}
    if kinds and kinds <= {int, float}:
        return pa.float64()
    return pa.bool_() if kinds == {bool} else pa.string()
