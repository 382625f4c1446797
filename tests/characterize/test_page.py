"""The page on characterization works as written, and finds what it says of its own device."""

import json

import pytest

from analogff.figures.drawing import Drawing
from tests.test_docs import blocks, status, written

PAGE = "docs/guides/characterize.md"
TRUTH = {"gain": 0.5, "noise, bias +0": 0.02, "landed over asked": 0.9, "write asymmetry": 0.2 / 1.6}


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch):
    monkeypatch.setattr(Drawing, "save", lambda self, folder: [])  # `test_files` draws


@pytest.mark.slow
def test_the_device_of_the_page_is_found_as_it_was_written(tmp_path, monkeypatch, capsys):
    assert written(PAGE, tmp_path) == ["my_chip.py"]
    monkeypatch.chdir(tmp_path)
    assert status("check", "my_chip.py:Lopsided") == 0, capsys.readouterr().out
    sizes = ("--n-in", 8, "--n-out", 8, "--chips", 2, "--out", tmp_path / "sheet")
    assert status("characterize", "my_chip.py:Lopsided", *sizes) == 0
    sheet = json.loads((tmp_path / "sheet" / "datasheet.json").read_text())
    found = {figure["name"]: figure["value"] for figure in sheet["figures"]}
    assert {name: found[name] for name in TRUTH} == pytest.approx(TRUTH, rel=0.05)
    reasons = {row["name"]: row["why"] for row in sheet["not_measurable"]}
    assert "of the weighted sums are out of reach" in reasons["symmetry point"]


@pytest.mark.slow
def test_the_python_of_the_page_runs(tmp_path):
    device, use = blocks(PAGE, "python")
    exec(device + use, {"folder": tmp_path, "__name__": "page"})
    assert (tmp_path / "datasheet.md").exists()
