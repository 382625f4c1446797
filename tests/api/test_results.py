"""Studies from Python give what the command line gives."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import analogff
from analogff.api.run import StudyFailed
from analogff.data import load_dataset
from analogff.study.results.parts import StoreError
from analogff.study.results.store import load_results
from analogff.support.mistakes import StudyError
from tests.study.conftest import DEVICE, HEAD, RULE, write_study  # noqa: F401
from tests.study.run.test_life import FORWARD, IDEAL
from tests.test_docs import ROOT, blocks

NOISE = '\n[sweep]\n"device.read_noise" = [0.0, 0.1]\n'


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Of a study in the folder above, where a run of it would write."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(f"{HEAD}keep = true\n{DEVICE}{RULE}{FORWARD}{NOISE}")
    return analogff.run(folder / "study.toml", out=folder / "results" / "tiny", workers=0, quiet=True)


@pytest.mark.slow
def test_a_run_gives_the_results_of_its_folder(results):
    assert results.table.equals(load_results(results.folder))
    assert len(results.summary) == 4 and set(results.measurements) >= {"goodness", "layers"}
    assert len(results.compare()) == 2
    assert "8 runs" in repr(results) and "test error in percent" in results._repr_html_()
    assert analogff.Results(results.folder).table.equals(results.table)


def test_a_second_run_does_nothing_again(results, capsys):
    again = analogff.run(results.folder.parents[1] / "study.toml", out=results.folder, workers=0)
    assert again.table.equals(results.table) and "All 8 runs are there already." in capsys.readouterr().out


def test_figures_are_drawn_in_memory(results):
    figure = results.plot()
    assert isinstance(figure, Figure) and len(figure.axes[0].lines) >= 2
    with pytest.raises(ValueError, match="Got 'error_vs_wind'. There is error_vs_device_read_noise"):
        results.plot("error_vs_wind")


def test_a_kept_chip_answers(write_study, tmp_path):  # noqa: F811
    path = write_study(more="keep = true\n", device=IDEAL, rule=RULE + FORWARD)
    results = analogff.run(path, out=tmp_path / "out", workers=0, quiet=True)
    test = load_dataset("digits", train_images=200, validation_images=50).test
    for rule in ("backprop", "forward-forward"):
        chip = results.chip(rule=rule, chip=1)
        told = results.table.query("rule == @rule and chip == 1")["test_error"].iloc[0]
        np.testing.assert_allclose(chip.error(test.images, test.labels), told)
        assert f"{rule}, chip 1" in repr(chip)


@pytest.mark.slow
def test_a_chip_is_one(results, write_study, tmp_path):  # noqa: F811
    assert results.chip(rule="backprop", chip=1, device_read_noise=0.1)
    with pytest.raises(ValueError, match=r"swept paths \(device_read_noise\). Got read_noise"):
        results.chip(rule="backprop", chip=1, device_read_noise=0.1, read_noise=0.1)
    with pytest.raises(ValueError, match="Got 2 of chip 1"):
        results.chip(rule="backprop", chip=1)
    path = write_study(device=DEVICE)
    with pytest.raises(StoreError, match="keep = true"):
        analogff.run(path, out=tmp_path / "other", workers=0, quiet=True).chip(chip=0)


def test_mistakes_and_failures_are_raised(write_study, tmp_path):  # noqa: F811
    with pytest.raises(StudyError, match="epochs: Expected"):
        analogff.run(write_study(), out=tmp_path / "out", set=["epochs=0"], workers=0)
    broken = write_study(
        device='\n[device]\nmodel = "mine.py:Chip"\n',
        rule=FORWARD + 'slope = "assumed"\n',
        files={"mine.py": BROKEN},
    )
    with pytest.raises(StudyFailed, match="the lamp went out"):
        analogff.run(broken, out=tmp_path / "out", workers=0, quiet=True)


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_the_page_works_as_written(results, monkeypatch):
    monkeypatch.chdir(results.folder.parents[1])
    test = load_dataset("digits", train_images=200, validation_images=50).test
    names = {"images": test.images, "labels": test.labels}
    for block in blocks(ROOT / "docs/guides/python.md", "python"):
        exec(block, names)
    assert names["answers"].shape == test.labels.shape


BROKEN = """
import torch
from analogff import Device

class Chip(Device):
    def measure(self, x):
        if x.shape[0] > 60:
            raise RuntimeError("the lamp went out")
        return torch.relu(x)
"""
