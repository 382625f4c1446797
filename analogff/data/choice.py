"""What decides the numbers of a data set before images are counted."""

from typing import NamedTuple

from analogff.data.errors import DataError
from analogff.data.pixels import Scale


class DataChoice(NamedTuple):
    """A data set, and how it is read; hashable, since it is a key."""

    name: str
    """One of `dataset_names`, a folder or a file."""
    scale: Scale = "auto"
    """The stored number that becomes 1; see `input_lines`."""
    image_size: tuple[int, int] | None = None
    """Height and width to which images are resized; None to leave them as they are."""
    gray: bool = False
    """Whether colors become gray."""
    label_column: str | None = None
    """Column of a CSV table that holds the labels; None for the last one."""


def refuse_unused(choice: DataChoice, kind: str, *used: str) -> None:
    """Raise a `DataError` for a field of a choice that this kind of data has no use for.

    Args:
        choice: The choice.
        kind: What the data is, as a message says it.
        used: Names of the fields that it may set.
    """
    for field in ("image_size", "gray", "label_column"):
        value = getattr(choice, field)
        if value not in (None, False) and field not in used:
            expected = "a CSV table" if field == "label_column" else "images"
            raise DataError(
                f"Expected {expected} beside {field}. Got {choice.name}, {kind}. Leave {field} out.",
                field,
            )
