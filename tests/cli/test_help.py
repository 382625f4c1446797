"""What --help and the parser of arguments say: on 80 columns, and without what says nothing."""

import pytest

from analogff.cli.commands import COMMANDS
from tests.cli.test_cli import call


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=lambda c: c[0] if c else "all")
def test_help_fits_80_columns_and_shows_defaults_only_where_they_say_something(command, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert call(*command, "--help") == 0
    usage, *lines = capsys.readouterr().out.splitlines()
    assert usage.startswith("usage: analogff") and max(map(len, lines)) <= 80
    said = " ".join(" ".join(lines).replace("│", " ").split())
    assert not any(f"(default: {nothing})" in said for nothing in ("None", "", " ", "False"))


def test_a_default_that_says_something_is_shown(capsys):
    assert call("run", "--help") == 0
    assert "(default: 1.0)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "a.toml", "--workers", "x"), "--workers: Expected a whole number. Got x. Give 2, for example."),
        (("plot", "a", "--columns", "1.5"), "--columns: Expected a whole number. Got 1.5. Give 2, for example."),
        (("run", "a.toml", "--memory", "4GB"), "--memory: Expected a number. Got 4GB. Give 2.0, for example."),
    ],
)
def test_what_is_no_number_is_told_in_words(arguments, said, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    assert call(*arguments) == 2
    assert said in capsys.readouterr().err
