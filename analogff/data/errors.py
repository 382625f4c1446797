"""The exception of the data room."""

from typing import Any


class DataError(ValueError):
    """A data set is missing, damaged or not as requested.

    Args:
        text: Expected value, actual value and advice.
        field: The field of the study that caused it.
    """

    def __init__(self, text: str, field: str = "dataset"):
        super().__init__(text)
        self.field = field

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.field)


def shortened(value: Any) -> str:
    """Return a value as quoted in a message, at most about 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}...{text[-17:]}"
