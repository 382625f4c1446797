"""Ranges of options that a study may tune."""

import abc
import dataclasses
import math
from typing import Any

from typing_extensions import override

from analogff.support.mistakes import shown

DIGITS = 3
"""Significant digits of a tuned number, so that it can be written by hand."""


class Range(abc.ABC):
    """Values of an option, in an order in which equal shares are searched equally."""

    @abc.abstractmethod
    def value(self, share: float) -> Any:
        """Return the value at a share of the range, 0 up to 1."""

    @abc.abstractmethod
    def share(self, value: Any) -> float | None:
        """Return the share of the range at a value, the inverse of `value`; None for a range without ends."""

    @abc.abstractmethod
    def __str__(self) -> str:
        """Return the range in words."""


@dataclasses.dataclass(frozen=True)
class Uniform(Range):
    """Numbers from ``low`` to ``high``, equally likely.

    Raises:
        ValueError: If ``low`` is not below ``high``.

    Example:
        >>> Uniform(0, 1).value(0.25)
        0.25
    """

    low: float
    """Least value."""
    high: float
    """Greatest value."""

    def __post_init__(self):
        if not self.low < self.high:
            raise ValueError(f"Expected low < high. Got {self.low:g} and {self.high:g}. Swap them.")

    @override
    def value(self, share):
        return _rounded(self.low + share * (self.high - self.low), self.low, self.high)

    @override
    def share(self, value):
        return (value - self.low) / (self.high - self.low)

    def __str__(self):
        return f"{self.low:g} to {self.high:g}"


@dataclasses.dataclass(frozen=True)
class LogUniform(Range):
    """Positive numbers from ``low`` to ``high``, each factor equally likely.

    Raises:
        ValueError: If not ``0 < low < high``.

    Example:
        >>> LogUniform(1e-4, 1e-2).value(0.5)
        0.001
    """

    low: float
    """Least value."""
    high: float
    """Greatest value."""

    def __post_init__(self):
        if not 0 < self.low < self.high:
            raise ValueError(f"Expected 0 < low < high. Got {self.low:g} and {self.high:g}. Use Uniform for 0.")

    @override
    def value(self, share):
        return _rounded(self.low * (self.high / self.low) ** share, self.low, self.high)

    @override
    def share(self, value):
        return math.log(value / self.low) / math.log(self.high / self.low) if value > 0 else -math.inf

    def __str__(self):
        return f"{self.low:g} to {self.high:g}, logarithmic"


@dataclasses.dataclass(frozen=True)
class Choice(Range):
    """A list of values, equally likely. Not for a number whose range should be searched beyond them.

    Example:
        >>> Choice((25, 50, 100)).value(0.9)
        100
    """

    values: tuple[Any, ...]
    """The values."""

    @override
    def value(self, share):
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    @override
    def share(self, value):
        return None

    def __str__(self):
        return f"one of {', '.join(map(shown, self.values))}"


def _rounded(value: float, low: float, high: float) -> float:
    return min(max(float(f"{value:.{DIGITS}g}"), low), high)
