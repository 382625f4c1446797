"""What instruments write that is no reading of the device: marks of an overload, and set points read back."""

import dataclasses

import numpy as np

from hardware_models.measured_data.table import Table

OVERLOAD = 9e37
"""From this size on a number is a mark: SCPI instruments write 9.9e37 for an overload and 9.91e37 for no reading."""
APART = 20.0
"""How many times set points must be farther apart than readings of one of them."""
JITTER = 1e-3
"""Greatest spread of readings of one set point, over the range of all."""


def marked(values: np.ndarray) -> np.ndarray:
    """Tell which numbers are marks of an overload."""
    return np.abs(values) >= OVERLOAD


def without_overloads(table: Table, source: str, reading: str) -> tuple[Table, str]:
    """Leave out rows in which the instrument was overloaded, at the ends of a sweep.

    Args:
        table: As read.
        source: Column of inputs.
        reading: Column of outputs.

    Returns:
        The rows that are left, and what to say about it; nothing where there is no mark.

    Raises:
        ContractError: If an overload lies between readings, where nothing is known then, or nothing is left.
    """
    x, y, copies = table.numbers(source), table.numbers(reading), np.array(table.copies())
    lost = marked(x) | marked(y)
    if not lost.any():
        return table, ""
    for row in np.flatnonzero(lost & ~marked(x)):
        kept = x[~lost & (copies == copies[row])]
        if (kept < x[row]).any() and (kept > x[row]).any() and x[row] not in kept:
            got = f"an overload mark in line {table.lines[row]}, between readings on both sides"
            raise table.refusal("overloads at the ends of a sweep only", got, "Measure there in a wider range.")
    if lost.all():
        raise table.refusal("readings", f"overload marks alone, {x.size} of them", "Measure in a wider range.")
    kept = np.flatnonzero(~lost)
    rows, lines = tuple(table.rows[n] for n in kept), tuple(table.lines[n] for n in kept)
    return dataclasses.replace(table, rows=rows, lines=lines), f"overload readings left out {lost.sum()}"


def set_points(x: np.ndarray) -> tuple[np.ndarray, str]:
    r"""Give readings of one set point, which differ by jitter, one value: their mean.

    Readings belong together if set points are `APART` times farther apart than any readings of one, if those differ by
    less than `JITTER` of the range, and if most set points were read more than once. A sweep in steps that grow, such
    as a logarithmic one, is left as it is.

    Args:
        x: Inputs of all rows, in any order.

    Returns:
        Likewise, and what to say about it; nothing where nothing was merged.
    """
    distinct, of_row = np.unique(x, return_inverse=True)
    gaps = np.diff(distinct)
    ordered = np.sort(gaps)
    for n in np.flatnonzero(ordered[1:] >= APART * ordered[:-1])[::-1]:
        group = np.concatenate([[0], np.cumsum(gaps >= ordered[n + 1])])
        begin = np.flatnonzero(np.diff(group, prepend=-1))
        first, last = distinct[begin], distinct[[*begin[1:] - 1, -1]]
        width = (last - first).max()
        together = width * APART <= ordered[n + 1] and width < JITTER * (distinct[-1] - distinct[0])
        if together and len(first) > 2 and np.mean(last > first) > 0.5:
            of_row = group[of_row]
            means = np.bincount(of_row, x) / np.bincount(of_row)
            return means[of_row], f"set points {len(first)}, read back within {width:.2g} and merged"
    return x, ""
