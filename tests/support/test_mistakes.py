"""A mistake is a sentence that begins with its place, whatever the file calls it."""

import pytest

from analogff.support.mistakes import unknown_name


@pytest.mark.parametrize("key, place", [("device.nois", "device.nois"), (" ", '" "'), ("", '""'), ("a\tb", r'"a\tb"')])
def test_a_place_that_cannot_be_read_is_quoted(key, place):
    said = str(unknown_name(key, "a field", key.rpartition(".")[2], ["noise"]))
    assert said.startswith(f"{place}: Expected a field (noise). Got ")
