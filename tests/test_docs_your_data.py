"""The page on one's own data works as written."""

import runpy

import numpy as np
import pytest
from PIL import Image

from analogff.data import ImageShape, load_dataset
from tests.test_docs import blocks, status, written

PAGE = "docs/guides/your-data.md"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    names = written(PAGE, tmp_path, "python", "toml")
    assert names == ["make_shapes.py", "make_arrays.py", "shapes.toml", "iris.toml"]
    (tmp_path / "iris.csv").write_text(blocks(PAGE, "csv")[0])
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_the_studies_of_the_page_run(place, capsys):
    runpy.run_path("make_shapes.py")
    for study in ("shapes.toml", "iris.toml"):
        assert status("run", study, "--workers", 0) == 0, capsys.readouterr()
    assert load_dataset("shapes", image_size=(12, 12), gray=True).image == ImageShape(1, 12, 12)
    assert load_dataset("iris.csv", label_column="species", scale="columns").label_names == ("setosa", "versicolor")


def test_the_arrays_of_the_page_are_a_data_set(place):
    runpy.run_path("make_arrays.py")
    data = load_dataset("arrays")
    assert data.image == ImageShape(1, 8, 8) and data.label_names == ("even", "fading")


def test_the_messages_of_the_page_are_what_is_said(place, capsys):
    runpy.run_path("make_shapes.py")
    shown = [line.replace("/home/you", str(place)) for line in blocks(PAGE, "text")[-1].splitlines()]
    seventh = place / "shapes/train/bar/7.png"
    Image.fromarray(np.zeros((30, 24), np.uint8)).save(seventh)
    study = place / "shapes.toml"
    study.write_text(study.read_text().replace("image_size", "# image_size"))
    iris = place / "iris.csv"
    spoils = [
        ("shapes.toml", lambda: None),
        ("shapes.toml", lambda: seventh.write_bytes(b"no image")),
        ("iris.toml", lambda: iris.write_text(iris.read_text().replace("3.2", "n/a", 1))),
    ]
    for (path, spoil), said in zip(spoils, shown, strict=False):
        spoil()
        assert status("run", path) == 2
        assert said in capsys.readouterr().err
    iris.write_text(iris.read_text().replace("n/a", "3.2"))
    assert status("run", "iris.toml", "--set=flip=true") == 2
    assert shown[3] in capsys.readouterr().err
