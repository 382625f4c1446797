"""Files to start from work as they are written, and overwrite nothing."""

import pytest

from analogff.cli import main

SMALL = ["dataset=digits", "layers=[16]", "epochs=1", "train_images=200", "validation_images=50", "chips=2"]


def status(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(map(str, arguments)))
    return stop.value.code or 0


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_the_study_runs_with_the_device_and_the_rule(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for kind in ("device", "rule", "study"):
        assert status("new", kind) == 0
    assert "analogff run study.toml" in capsys.readouterr().out
    settings = [f"--set={setting}" for setting in SMALL]
    assert status("run", "study.toml", "--workers", 0, *settings) == 0
    assert status("check", "my_device.py:MyDevice") == 0
    text = (tmp_path / "study.toml").read_text()
    text = text.replace('"unknown" ', '"my_device.py:MyDevice"').replace(
        'name = "forward-forward"', 'name = "my_rule.py:MyRule"'
    )
    text = text.partition('[[rule]]\nname = "backprop"')[0].partition("[sweep]")[0]
    (tmp_path / "mine.toml").write_text(text)
    assert status("run", "mine.toml", "--out", "mine", "--workers", 0, *settings) == 0
    assert "my_rule.py:MyRule" in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path, capsys):
    file = tmp_path / "study.toml"
    file.write_text("mine")
    assert status("new", "study", file) == 2
    assert file.read_text() == "mine" and f"Expected no file {file}. Got one." in " ".join(
        capsys.readouterr().err.split()
    )
    assert status("new", "study", tmp_path / "nowhere" / "study.toml") == 2
