"""The one exception of the data room."""

from typing import Any


class DataError(ValueError):
    """A data set is missing, damaged, or no such one as was asked for.

    Args:
        text: What was expected, what was got, and what to do.
        field: The field of a study that is to blame.
    """

    def __init__(self, text: str, field: str = "dataset"):
        super().__init__(text)
        self.field = field

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.field)


def shortened(value: Any) -> str:
    """Return a value as a message quotes it, at most some 80 characters of it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}...{text[-17:]}"
