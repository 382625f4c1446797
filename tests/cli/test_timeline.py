"""``analogff timeline``: a table and a Gantt chart for each rule of a study, without training."""

import pandas as pd
import pytest

from tests.cli.test_cli import call

STUDY = """
name = "Tiny"
dataset = "digits"
layers = [8, 8]
epochs = 1
chips = 2
train_images = 100
validation_images = 50
[device]
model = "reram"
[[rule]]
name = "forward-forward"
[[rule]]
name = "backprop"
[[rule]]
name = "mine.py:MyRule"
[sweep]
"device.read_noise" = [0.1, 0.2]
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY)
    assert call("new", "rule", "mine.py") == 0
    return tmp_path / "study.toml"


@pytest.mark.slow
def test_every_rule_gets_a_row_and_a_figure(study, capsys):
    assert call("timeline", study, "--set", "pipeline.adcs_per_tile=2", "--images", 3) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "samples/s" in said and "converters" in said and "Swept paths are at their first value" in said
    assert "MyRule: states no dataflow, so it is left out." in said
    folder = study.parent / "timelines/tiny"
    table = pd.read_csv(folder / "timelines.csv")
    assert list(table["rule"]) == ["inference", "FF", "backprop"]
    assert (table["samples_per_second"] <= table["bound_per_second"] * (1 + 1e-6)).all()
    parts = ["chip_joules", "converters_joules", "writes_joules", "digital_joules", "memory_joules"]
    assert table[parts].sum(axis=1).to_numpy() == pytest.approx(table["total_joules"].to_numpy())
    for name in ("inference", "FF", "backprop"):
        assert (folder / f"timeline-{name}.pdf").exists() and (folder / f"timeline-{name}.png").exists()
    events = pd.read_csv(folder / "timeline-FF.csv")
    assert set(events["image"]) == {-1, 0, 1, 2} and set(events["step"]) == {0, 1}
    assert set(events["kind"]) == {"convert", "read", "digital", "write"}
    assert (events["end_seconds"] >= events["start_seconds"]).all()


@pytest.mark.slow
def test_parameters_of_study_and_chip_both_count(study, capsys, blank_figures):
    slow = ("--set", "layers=[8, 6]", "--set", "pipeline.digital_macs_per_second=1e6")
    assert call("timeline", study, "--out", "slow", *slow) == 0
    assert call("timeline", study, "--out", "fast") == 0
    slow, fast = (pd.read_csv(study.parent / name / "timelines.csv") for name in ("slow", "fast"))
    assert (slow["samples_per_second"] < 0.1 * fast["samples_per_second"]).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "pipeline.adcs=8"), "pipeline.adcs: Expected a field of [pipeline]"),
        (("--set", "pipeline.tile_rows=0"), "pipeline.tile_rows: Expected a number greater than or equal to 1. Got 0."),
        (("--set", "pipeline.shared_digital=maybe"), "pipeline.shared_digital: Expected true or false."),
        (("--images", "0"), "--images: Expected 1 to 100. Got 0."),
        (("--set", "layers=[0]"), "layers.0: Expected"),
    ],
)
def test_mistakes_are_one_sentence(study, capsys, arguments, said):
    assert call("timeline", study, *arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_both_mistakes_of_the_chip_are_told_at_once(study, capsys):
    assert call("timeline", study, "--set", "pipeline.adcs=8", "--set", "pipeline.buffer_vectors=0") == 2
    said = capsys.readouterr().err
    assert "pipeline.adcs" in said and "pipeline.buffer_vectors" in said
