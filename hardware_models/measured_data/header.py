"""What kind of measurement a header tells."""

import itertools
from typing import NamedTuple

from hardware_models.measured_data.table import COPIES, Table

UNITS = ("volts", "amperes", "watts")
"""Units that the name of a column may end with."""
PULSE_COLUMNS = ("pulse", "conductance_siemens")
PULSE_OPTIONS = ("direction", "cycle")
_KINDS = (
    "a header of one of three kinds: input,output; or the two with units, such as input_volts,output_amperes or "
    "gate_volts,drain_amperes; or pulse,conductance_siemens"
)


class Pair(NamedTuple):
    """The columns of a curve."""

    input: str
    """Name of the column of inputs."""
    output: str
    """Name of the column of outputs."""

    @property
    def units(self) -> tuple[str, str]:
        """Units of both; empty for plain numbers."""
        return _unit(self.input), _unit(self.output)


def has_pulses(table: Table) -> bool:
    """Tell whether a table has pulses against conductance, rather than curves.

    Raises:
        ContractError: If its header is of neither kind, or has columns that nothing is known to do with.
    """
    named = set(table.header)
    if "pulse" in named or "conductance_siemens" in named:
        missing = [column for column in PULSE_COLUMNS if column not in named]
        if missing:
            got = f"no column {missing[0]} beside {', '.join(table.header)}"
            raise table.refusal("columns pulse and conductance_siemens", got, "Add it.")
        _refuse_others(table, {*PULSE_COLUMNS, *PULSE_OPTIONS})
        return True
    _refuse_others(table, set(pair_of(table)))
    return False


def pair_of(table: Table) -> Pair:
    """Return which column holds inputs, and which outputs.

    By their names, ``input`` and ``output`` with or without a unit; else one in volts is the input, and one in amperes
    the output.

    Raises:
        ContractError: If there is no such pair.
    """
    ends = ["", *(f"_{unit}" for unit in UNITS)]
    for one, other in itertools.product(ends, ends):
        if {f"input{one}", f"output{other}"} <= set(table.header):
            return Pair(f"input{one}", f"output{other}")
    volts, amperes = ([name for name in table.header if _unit(name) == unit] for unit in ("volts", "amperes"))
    if len(volts) == len(amperes) == 1:
        return Pair(volts[0], amperes[0])
    raise table.refusal(_KINDS, ", ".join(table.header) or "no names", "Name the columns so.")


def _unit(column: str) -> str:
    unit = column.rpartition("_")[2]
    return unit if unit in UNITS and "_" in column else ""


def _refuse_others(table: Table, known: set[str]) -> None:
    others = [name for name in table.header if name not in known and name not in COPIES]
    if others:
        kept = ", ".join([name for name in table.header if name in known])
        expected = f"no columns but {kept} and one of {', '.join(COPIES)}"
        raise table.refusal(
            expected, ", ".join(others), "Remove them; measurements that differ in them need two files."
        )
