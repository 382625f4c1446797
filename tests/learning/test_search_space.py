"""Ranges of options: even on their own scale, and written with few digits."""

import numpy as np
import pytest

from analogff.learning.search_space import DIGITS, Choice, LogUniform, Uniform

SHARES = np.linspace(0, 0.999, 50)
NUMBERS = [Uniform(-2.0, 5.0), LogUniform(1e-4, 1e-2)]


@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
def test_values_are_even_on_their_scale(numbers):
    """A value keeps three digits: it errs by at most half a unit of the last, and so does its share."""
    values = np.array([numbers.value(share) for share in SHARES])
    assert values[0] == numbers.low and values[-1] <= numbers.high and (np.diff(values) > 0).all()
    low, high = numbers.low, numbers.high
    exact = low + SHARES * (high - low) if isinstance(numbers, Uniform) else low * (high / low) ** SHARES
    np.testing.assert_allclose(values, exact, rtol=0.5 * 10 ** (1 - DIGITS))
    np.testing.assert_allclose([numbers.share(value) for value in values], SHARES, atol=0.005)


def test_a_value_beyond_a_range_is_beyond_its_ends():
    numbers = LogUniform(0.01, 1.0)
    assert numbers.share(0.001) < 0 < numbers.share(0.011) < 1 < numbers.share(2.0)
    assert numbers.share(0.0) == -np.inf


def test_a_choice_gives_each_value_an_equal_share():
    values = [Choice((25, 50, 100)).value(share) for share in (0.0, 0.33, 0.34, 0.66, 0.67, 0.999)]
    assert values == [25, 25, 50, 50, 100, 100] and Choice((25, 50)).share(25) is None


@pytest.mark.parametrize("make", [lambda: Uniform(1, 1), lambda: LogUniform(0.0, 1.0), lambda: LogUniform(2, 1)])
def test_an_empty_range_is_refused(make):
    with pytest.raises(ValueError, match=r"Expected .*low < high. Got"):
        make()
