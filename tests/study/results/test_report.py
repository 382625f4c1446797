"""What a run shows: as much as a terminal has room for, and every text as it was written."""

import io
import re

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from analogff.study.read.spec import read_study
from analogff.study.results.comparison import compare
from analogff.study.results.report import print_pairs, print_results, report
from analogff.study.results.summary import summarize
from analogff.study.run.execute import Outcome
from analogff.study.run.plan import plan_runs
from analogff.study.run.progress import Progress
from analogff.study.task import Task
from tests.study.results.test_summary import results

SWEEP = {"study": {"sweep": {"device.read_noise": [0.00001, 0.1]}}}
HOSTILE = "a [/on] b [ours] $x$ :smile:"


def printed(frame, width, manifest=SWEEP):
    console = Console(file=io.StringIO(), width=width)
    print_results(summarize(frame, manifest), console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def small(diverged=False):
    frame = results({("ff", s, n): [1.25, 2.5] for s in ("probed", "assumed") for n in (1e-5, 0.1)})
    return frame.assign(reads=540_000.0, pulses=1.23e9, device_seconds=1.5e-4, device_joules=2.5e-6, diverged=diverged)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_number_is_cut_at_any_width(width):
    said = printed(small(), width)
    assert max(len(line) for line in said.splitlines() if not line.startswith("Left out")) <= width
    assert "…" not in said
    assert all(text in said for text in ("1e-05", "1.88 [0.00, 9.82]", "ff probed", "ff assumed"))
    (header,) = [line for line in said.splitlines() if "rule" in line]
    shown = {name: name in header for name in ("reads", "pulses", "device s", "device J", "chips")}
    told = re.findall(r"columns hold no more: (.*?)\.", said)
    left_out = told[0].split(", ") if told else []
    assert sorted(left_out) == sorted(name for name, there in shown.items() if not there)
    assert (said.count("2.5e-06") == 4) == shown["device J"] and (said.count("5.4e+05") == 4) == shown["reads"]
    assert shown["reads"] == (width >= 80) and all(shown.values()) == (width >= 200)


def test_diverged_runs_are_told_at_any_width_and_take_no_room_where_there_are_none():
    assert "diverged" in printed(small(diverged=True), 80) and "diverged" not in printed(small(), 200)


def test_labels_and_swept_texts_stand_as_written_on_any_console():
    frame = small().rename(columns={"device.read_noise": "device.[b]"})
    frame = frame.assign(label=HOSTILE + frame["rule.slope"], **{"device.[b]": HOSTILE})
    console = Console(file=io.StringIO(), width=200)
    report(frame, {"study": {"sweep": {"device.[b]": [HOSTILE, "x"]}}}, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"{HOSTILE}probed" in said and f"{HOSTILE} " in said and "device.[b]" in said


@pytest.fixture
def task(write_study, tmp_path):
    rule = f'[[rule]]\nname = "backprop"\nlabel = "{HOSTILE}"\n'
    sweep = '[sweep]\n"device.family" = ["sigmoid", "relu"]\n"device.read_noise" = [0.001, 0.1]\n'
    return Task(plan_runs(read_study(write_study(rule=rule, sweep=sweep), ()))[:2], str(tmp_path))


@pytest.mark.parametrize("width", [80, 120])
def test_the_bar_keeps_its_count_and_its_times_beside_a_long_text(task, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with Progress(console, tasks=12, runs=4, kept=0) as progress:
        numbers = pa.table({"validation_error": [np.nan], "test_error": [12.5]})
        progress.note(Outcome(task, numbers))
        progress.hear(f"{HOSTILE}, 3 % test error after epoch 1 of 3")
        progress._bar.refresh()
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())  # type: ignore[attr-defined]
    line = [line for line in re.split(r"[\r\n]+", drawn) if "runs" in line][-1]
    assert len(line) <= width
    assert "2/4" in line and len(re.findall(r"\d:\d\d:\d\d|-:--:--", line)) == 2 and "━" in line
    assert "1 of 12 tasks" in line and (width == 80 or "a [/on] b [ours]" in line)


def test_lines_elsewhere_are_whole(task):
    console = Console(file=io.StringIO(), width=40)
    with Progress(console, tasks=12, runs=240, kept=0) as progress:
        progress.hear(HOSTILE)
    assert console.file.getvalue() == f"0/240 runs, 0 s: {HOSTILE}\n"  # type: ignore[attr-defined]


def test_pairs_are_a_table_a_point_on_a_narrow_terminal():
    """A name keeps its words, and every number is whole."""
    frame = small().assign(variant=lambda f: "a rule of some words, " + f["rule.slope"])
    pairs = compare(frame, ["device.read_noise"])
    for width, tables in ((80, 2), (200, 1)):
        console = Console(file=io.StringIO(), width=width)
        print_pairs(pairs, ["device.read_noise"], console)
        said = console.file.getvalue()  # type: ignore[attr-defined]
        assert said.count("told apart") == tables and said.count("At read noise = ") == tables - (width == 200)
        assert said.count("0.00 [0.00, 0.00]") == 2 and "words," in said
        assert max(map(len, said.splitlines()[2:])) <= width
