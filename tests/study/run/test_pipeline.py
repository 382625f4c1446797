"""The table `[pipeline]` of a study: its numbers in results, and the same table in `analogff timeline`."""

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import analogff as ff
from analogff.study.read.spec import read_study
from analogff.study.results.store import load_results
from analogff.study.run.engine import run_study
from tests.cli.test_cli import call
from tests.study.conftest import HEAD

RERAM = '\n[device]\nmodel = "reram"\n'
PIPELINE = "\n[pipeline]\npulses_per_cell = 2.0\nadcs_per_tile = 4\n"
RULES = '\n[[rule]]\nname = "forward-forward"\n[[rule]]\nname = "mine.py:MyRule"\n'
SMALL = HEAD.replace("train_images = 200", "train_images = 100").replace("chips = 2", "chips = 1")


def results(path, out):
    finished = run_study(read_study(path, ()), out, workers=0, console=Console(quiet=True))
    assert not finished.failures, finished.failures[0].failure
    return load_results(out)


@pytest.mark.slow
def test_resources_are_swept_and_change_the_costs_alone(write_study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("new", "rule", "mine.py") == 0
    sweep = '\n[sweep]\n"pipeline.digital_macs_per_second" = [1e6, 1e12]\n'
    path = write_study(head=SMALL, device=RERAM + PIPELINE, rule=RULES, sweep=sweep)
    frame = results(path, tmp_path / "out")
    told = frame[frame["rule"] == "forward-forward"].set_index("pipeline.digital_macs_per_second")
    for name in ("test_error", "train_loss", "device_seconds", "system_joules", "pipeline_joules"):
        assert told[name].nunique() == 1, name  # so do operations of the same energy
    assert told.loc[1e12, "samples_per_second"] > 10 * told.loc[1e6, "samples_per_second"]
    np.testing.assert_allclose(told["pipeline_seconds"] * told["samples_per_second"], 100, rtol=1e-12)
    silent = frame[frame["rule"] == "mine.py:MyRule"]
    assert silent["samples_per_second"].isna().all() and len(silent) == 2


@pytest.mark.slow
def test_a_timeline_reads_the_same_table(write_study, tmp_path, monkeypatch):
    """Forward-Forward's estimate is the bound of its busiest resource; --set overrules the table."""
    monkeypatch.chdir(tmp_path)
    path = write_study(head=SMALL, device=RERAM + PIPELINE, rule='\n[[rule]]\nname = "forward-forward"\n')
    (rate,) = results(path, tmp_path / "out")["samples_per_second"]
    assert call("timeline", path, "--out", "as_written") == 0
    assert call("timeline", path, "--out", "slower", "--set", "pipeline.adcs_per_tile=1") == 0
    bound, slower = (
        pd.read_csv(tmp_path / name / "timelines.csv").set_index("rule").loc["FF"] for name in ("as_written", "slower")
    )
    assert rate == pytest.approx(bound["bound_per_second"], rel=1e-9) and rate > bound["samples_per_second"]
    assert slower["bound_per_second"] < rate
    table = ff.Study.read(path).timelines().table.set_index("rule")
    assert table.loc["FF", "bound_per_second"] == pytest.approx(rate, rel=1e-9)


def test_controls_without_a_device_have_a_pipeline_too(write_study, tmp_path):
    path = write_study(head=SMALL, device=RERAM, rule='\n[[rule]]\nname = "mono-forward"\n', more="controls = true\n")
    frame = results(path, tmp_path / "out")
    assert len(frame) == 4 and (frame["samples_per_second"] > 0).all()


def test_a_rule_that_cannot_say_its_dataflow_is_refused_before_anything_runs(
    write_study, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert call("new", "rule", "mine.py") == 0
    flows = "    @classmethod\n    def dataflows(cls, options, shapes, batch):\n        return 1 / 0\n\n"
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text.replace("    def step", f"{flows}    def step"))
    path = write_study(head=SMALL, device=RERAM, rule='\n[[rule]]\nname = "mine.py:MyRule"\n')
    assert call("run", path, "--workers", 0) == 2
    assert "Expected mine.py:MyRule to say what a step has a chip do" in " ".join(capsys.readouterr().err.split())
