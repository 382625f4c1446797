"""A folder of class-named images, from its files to results, figures and captions."""

import shutil

import numpy as np
import pytest
from PIL import Image

import analogff as ff
from analogff.cli import main
from analogff.data import load_dataset
from analogff.figures.draw import draw_one
from analogff.figures.results import Results
from analogff.figures.style import styled
from analogff.report.design import settings_of
from analogff.study.read.spec import read_study
from analogff.study.results.manifest import read_manifest
from analogff.study.results.names import shorten
from analogff.study.results.store import load_measurements, load_results
from analogff.study.run.kept import kept_chips
from analogff.study.run.look_again import awaken
from analogff.study.run.plan import plan_runs

STUDY = """
name = "pets"
dataset = "pets"
layers = [8]
epochs = 2
chips = 1
validation_images = 4
flip = true
keep = true

[device]
model = "ideal"
neuron = "linear"

[[rule]]
name = "backprop"
batch = 10
learning_rate = 0.01
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Red cats and blue dogs, in noise."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    for part, count in (("train", 30), ("test", 10)):
        for label, color in (("cat", 0), ("dog", 2)):
            (tmp_path / "pets" / part / label).mkdir(parents=True)
            for n in range(count):
                pixels = random.integers(0, 100, (6, 5, 3), dtype=np.uint8)
                pixels[..., color] += 150
                Image.fromarray(pixels).save(tmp_path / "pets" / part / label / f"{n}.png")
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def run(path, *settings, out="out"):
    with pytest.raises(SystemExit) as stop:
        main(["run", str(path), "--out", str(path.parent / out), "--workers", "0", *(f"--set={s}" for s in settings)])
    assert stop.value.code == 0
    folder = path.parent / out
    return Results.of(load_results(folder), load_measurements(folder), read_manifest(folder), folder=folder)


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_classes_have_their_names_in_results_and_figures(study, monkeypatch):
    results = run(study)
    assert results.frame["test_error"].iloc[-1] < 10
    assert results.manifest["classes"] == {"pets": ["cat", "dog"]}
    assert ("classes", "cat, dog") in settings_of(results.manifest["study"], results.manifest["classes"]).rows
    chip = ff.Results(study.parent / "out").chip(chip=0)
    data = load_dataset("pets", folder=study.parent)
    named = [chip.label_names[answer] for answer in chip.predict(data.test.images)]
    assert named == [data.label_names[label] for label in data.test.labels]
    (matrix,) = draw_one("confusion_matrix", results)
    assert matrix.table[["true_name", "answer_name"]].to_numpy().tolist() == [
        ["cat", "cat"], ["cat", "dog"], ["dog", "cat"], ["dog", "dog"]
    ]  # fmt: skip
    (fields,) = draw_one("receptive_fields", results)
    table = fields.table
    assert len(table) == 8 * 90 and set(table["channel"]) == {0, 1, 2} and set(table["pixel"]) == set(range(30))
    answers = table.pivot(index="neuron", columns=["pixel", "channel"], values="answer").sort_index(axis=1)
    (kept,) = kept_chips(results.folder)
    weights = awaken(kept).chips.devices[0].get_buffer("weights")[0]
    np.testing.assert_allclose(answers.to_numpy(), 3.0 * weights.numpy(), atol=1e-5)
    monkeypatch.undo()
    with styled("ieee"):
        axes = matrix.draw().axes[0]
        assert [label.get_text() for label in axes.get_yticklabels()] == ["dog", "cat"]
        assert len(fields.draw().axes) == 8


def keys(path, *settings):
    return {run.key for run in plan_runs(read_study(path, settings))}


def test_how_images_are_read_is_part_of_a_runs_key(study):
    ways = [(), ("image_size=3",), ("image_size=[3,4]",), ("gray=true",), ("flip=false",)]
    found = [keys(study, *way) for way in ways]
    assert len(set.union(*found)) == len(ways)
    place = study.parent / "pets/train/cat/0.png"
    Image.fromarray(255 - np.asarray(Image.open(place))).save(place)
    assert not keys(study) & found[0]


def test_one_study_may_sweep_sizes_and_data(study):
    shutil.copytree(study.parent / "pets", study.parent / "others")
    (study.parent / "others/test/dog/0.png").unlink()
    sweep = '\n[sweep]\nimage_size = [3, [3, 4]]\ndataset = ["pets", "others"]\n'
    study.write_text(study.read_text() + sweep)
    shapes = read_study(study).shapes
    assert {(choice.name, choice.image_size): shape.n_in for choice, shape in shapes.items()} == {
        (name, size): 3 * size[0] * size[1] for name in ("pets", "others") for size in ((3, 3), (3, 4))
    }


def test_cifar10_in_jpeg_is_never_called_cifar10(study):
    import pandas as pd

    from analogff.figures.caption import caption
    from analogff.figures.drawing import Drawing
    from analogff.report.reproduce import sources

    told = {"dataset": "cifar10-jpeg", "device": {"model": "ideal"}, "rule": [{"name": "backprop"}], "sweep": {}}
    assert settings_of(told).rows[0] == ("dataset", "CIFAR-10 (JPEG)")
    assert "CIFAR-10 (JPEG)" in sources(told)["cifar10-jpeg"]
    frame = pd.DataFrame({"dataset": ["cifar10", "cifar10-jpeg", "pets"]})
    assert shorten(frame, ["dataset"])["dataset"].tolist() == ["CIFAR-10", "CIFAR-10 (JPEG)", "pets"]
    results = Results(frame, {}, (), (), None, manifest={"study": told})
    text = caption(Drawing("a", lambda: None, frame, "What is shown."), results)
    assert "Data: CIFAR-10 (JPEG); the whole test set." in text
