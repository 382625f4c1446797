"""Several studies in one command, how much is printed, and folders that are compared or reported."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from analogff.cli.run import Run
from analogff.support.console import PlainConsole
from tests.cli.test_cli import STUDY, call

HEAD = STUDY.partition("[[rule]]")[0].replace("chips = 2", "chips = 1")
BACKPROP = '[[rule]]\nname = "backprop"\n'


@pytest.fixture
def write(tmp_path, monkeypatch, blank_figures):
    """Write a study of a name, in the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(name, more=BACKPROP):
        (tmp_path / f"{name}.toml").write_text(HEAD.replace("A tiny study!", name) + more)
        return f"{name}.toml"

    return write


@pytest.mark.slow
def test_studies_run_one_after_the_other(write, tmp_path, capsys):
    assert call("run", write("a"), write("b"), "--workers", 0) == 0
    said = capsys.readouterr().out
    assert said.index("Study 1 of 2: a.toml") < said.index("Results in results/a,") < said.index("Study 2 of 2: b.toml")
    assert (tmp_path / "results" / "b" / "manifest.json").exists()
    assert call("run", "a.toml", "b.toml", "--workers", 0, "--quiet") == 0
    assert capsys.readouterr().out == ""


def test_mistakes_of_all_files_are_told_before_anything_runs(write, tmp_path, capsys):
    wrong = write("b", '[[rule]]\nname = "bakprop"\n'), write("c", "epoch = 1\n")
    assert call("run", write("a"), *wrong, "missing.toml", "--workers", 0) == 2
    said = capsys.readouterr().err
    assert "b.toml: 1 mistake" in said and "Did you mean backprop?" in said and "c.toml: " in said
    assert "missing.toml: Expected a study file. Got no such file." in said
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_a_study_that_fails_leaves_the_others_and_the_status(write, tmp_path, capsys):
    (tmp_path / "mine.py").write_text(
        "from analogff import Device\nclass Mine(Device):\n    def measure(self, x):\n        "
        "if len(x) > 50:\n            raise RuntimeError('too hot')\n        return x\n"
    )
    bad = write("bad", '[[rule]]\nname = "weight-perturbation"\n')
    (tmp_path / bad).write_text((tmp_path / bad).read_text().replace('"ideal"', '"mine.py:Mine"'))
    assert call("run", bad, write("good"), "--workers", 0, "--quiet") == 1
    said = capsys.readouterr()
    assert "too hot" in said.err and said.out == "" and (tmp_path / "results/good/manifest.json").exists()


def test_what_does_not_go_together_is_refused(write, capsys):
    one, two = write("a"), write("b")
    same = Path("again.toml")
    same.write_text(Path(one).read_text())
    for arguments, message in [
        ((), "Expected at least one study file. Got none."),
        ((one, two, "--out", "x"), "--out: Expected one study beside it. Got 2 studies."),
        ((one, same), "Expected studies of different names. Got a.toml and again.toml"),
        ((one, "--quiet", "--verbose"), "Expected --quiet or --verbose. Got both."),
    ]:
        assert call("run", *arguments) == 2
        assert message in capsys.readouterr().err


def test_verbose_has_lines_in_place_of_a_bar():
    terminal = PlainConsole(force_terminal=True, width=99)
    given = Run(studies=(), verbose=True)._console(terminal)
    assert not given.is_terminal and given.width == 99
    assert Run(studies=())._console(terminal) is terminal


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_no_color_is_honored_on_a_terminal(no_color):
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm-256color"}
    environment |= {"NO_COLOR": no_color} if no_color else {}
    command = [sys.executable, "-m", "analogff", "run", "--help"]
    subprocess.run(command, stdout=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 100_000)
    os.close(ours)
    assert b"usage" in shown and (b"\x1b[" in shown) == (not no_color)


def test_completion_is_named_in_the_help_and_printed(capsys):
    assert call("--help") == 0
    assert "--tyro-print-completion bash" in " ".join(capsys.readouterr().out.split())
    assert call("--tyro-print-completion", "bash") in (0, None)
    said = capsys.readouterr().out
    assert "analogff" in said and "characterize" in said


@pytest.mark.slow
def test_folders_of_one_name_are_compared_under_names_that_differ(write, tmp_path, capsys):
    two = BACKPROP + '[[rule]]\nname = "direct-feedback-alignment"\n'
    assert call("run", write("a", two), "--workers", 0, "--quiet", "--out", "x/out", "--set", "chips=2") == 0
    assert call("run", write("b"), "--workers", 0, "--quiet", "--out", "y/out", "--set", "chips=2") == 0
    assert call("compare", "x/out", "y/out") == 0
    said = capsys.readouterr().out
    assert "backprop in x/out" in said and "backprop in y/out" in said
    assert call("compare", "x/out", "x/../x/out") == 2
    assert "Expected different folders. Got x/../x/out twice. Give it once." in capsys.readouterr().err
    assert call("compare", "x/out", "nowhere") == 2
    assert "Expected a folder with results of analogff run. Got nowhere, which holds none." in capsys.readouterr().err


@pytest.mark.slow
def test_a_report_is_written_and_what_is_no_folder_of_results_is_told(write, tmp_path, capsys):
    assert call("run", write("a"), "--workers", 0, "--quiet") == 0
    assert call("report", "results/a") == 0
    assert "results/a/report.html is there. Open it in a browser" in capsys.readouterr().out
    assert call("report", "results/a", "--out", "page.html") == 0 and (tmp_path / "page.html").exists()
    assert call("report", "results/a", "--out", "results") == 2
    assert "--out: Expected a file. Got the folder results. Write results/report.html." in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    for folder in ("nowhere", "empty"):
        assert call("report", folder) == 2
        assert f"Expected {folder}" in capsys.readouterr().err
