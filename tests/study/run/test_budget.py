"""The [budget] of a study: what is refused, how runs are packed, and what the results say."""

import io

import pytest
from rich.console import Console

from analogff.study.read.spec import read_study
from analogff.study.results.manifest import read_manifest
from analogff.study.results.report import print_results
from analogff.study.results.store import load_results
from analogff.study.results.summary import summarize
from analogff.study.run.engine import run_study
from analogff.study.run.packing import pack
from analogff.study.run.plan import plan_runs
from analogff.support.mistakes import StudyError

NAMES = "reads, pulses, device_seconds, system_joules, epochs"
TWO = '\n[[rule]]\nname = "backprop"\nmax_step = "free"\n[[rule]]\nname = "weight-perturbation"\ndirections = 1\n'


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[budget]", f"budget: Expected at least one of {NAMES}. Got {{}}."),
        ("budget = 5", "budget: Expected a table. Got 5."),
        ("[budget]\nreads = 0", "budget.reads: Expected a number greater than 0. Got 0."),
        ("[budget]\nreads = -5\npulses = true", "budget.pulses: Expected a number. Got true."),
        ("[budget]\nreads = '3'", 'budget.reads: Expected a number. Got "3".'),
        ("[budget]\nread = 3", "budget.read: Expected a field of [budget] ("),
    ],
)
def test_a_budget_that_limits_nothing_is_refused(table, said, write_study):
    with pytest.raises(StudyError) as caught:
        read_study(write_study(more=table))
    assert any(str(mistake).startswith(said) for mistake in caught.value.mistakes), str(caught.value)


def test_mistakes_of_a_budget_are_told_with_all_others(write_study):
    path = write_study(more="jitter = -1\n[budget]\nreads = 0\nepochs = 0", rule='[[rule]]\nname = "nobody"\n')
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert {m.path for m in caught.value.mistakes} == {"jitter", "budget.reads", "budget.epochs", "rule.0.name"}


def test_a_swept_limit_names_its_place_and_needs_no_table(write_study):
    study = read_study(write_study(sweep='\n[sweep]\n"budget.reads" = [100, 200]\n'))
    assert [case.settings.budget.reads for case in study.cases] == [100, 200]
    with pytest.raises(StudyError, match=r"sweep\.budget\.reads: Expected a number greater than 0\. Got 0"):
        read_study(write_study(sweep='\n[sweep]\n"budget.reads" = [100, 0]\n'))


def test_chips_that_stop_at_steps_of_their_own_are_packed_one_by_one(write_study):
    sizes = {}
    for limit in ("reads", "pulses", "device_seconds"):
        study = read_study(write_study(more=f"[budget]\n{limit} = 1"), ["chips=4"])
        packing = pack(plan_runs(study), study.shapes, workers=0, memory_gib=1, folder=str(study.folder))
        sizes[limit] = [len(task.runs) for task in packing.tasks]
    assert sizes == {"reads": [2, 2], "pulses": [1] * 4, "device_seconds": [1] * 4}
    assert "each chip reaches the budget of device_seconds at a step of its own" in packing.explain()[1]


@pytest.mark.slow
def test_results_tell_which_limit_ended_each_run(write_study, tmp_path):
    path = write_study(rule=TWO, sweep='\n[sweep]\n"budget.reads" = [200, 900]\n')
    told = run_study(read_study(path, ["epochs=2", "chips=1"]), tmp_path / "out", workers=0)
    assert not told.failures
    frame = load_results(tmp_path / "out")
    ends = frame[["rule", "budget.reads", "epoch", "reads", "stopped_by"]]
    assert list(ends.itertuples(index=False, name=None)) == [
        (
            "backprop",
            200,
            1,
            200,
            "reads",
        ),  # 200 images in 2 steps, a layer and the head each: the first step reaches it
        ("backprop", 900, 1, 400, ""),
        ("backprop", 900, 2, 800, "epochs"),
        ("weight-perturbation", 200, 1, 400, "reads"),
        ("weight-perturbation", 900, 1, 800, ""),
        ("weight-perturbation", 900, 2, 1200, "reads"),  # the first step of its second epoch
    ]
    again = run_study(read_study(path, ["epochs=2", "chips=2"]), tmp_path / "out", workers=0)
    assert again.computed == 4  # those that a budget ended are finished too
    assert run_study(read_study(path, ["epochs=2", "chips=2"]), tmp_path / "out", workers=0).computed == 0
    summary = summarize(frame, read_manifest(tmp_path / "out"))
    assert summary["stopped_by"].tolist() == ["reads", "epochs", "reads", "reads"]
    console = Console(file=io.StringIO(), width=200)
    print_results(summary, console)
    assert "stopped by" in console.file.getvalue()
