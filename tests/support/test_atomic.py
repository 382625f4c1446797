"""A file is there whole, or as it was."""

import pytest

from analogff.support.atomic import replacing


def test_what_is_written_takes_the_place_at_the_end(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("old")
    with replacing(path) as hidden:
        hidden.write_text("new")
        assert path.read_text() == "old" and hidden.name.startswith(".") and hidden.suffix == ".tmp"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), replacing(path) as hidden:
        hidden.write_text("ne")
        raise OSError("disk full")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
