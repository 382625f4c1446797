"""Data of one's own, from a folder to a trained chip: what cannot be learned from is refused before anything runs."""

import re

import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine

from analogff.cli import main
from analogff.data import load_dataset, raw
from analogff.study.read.spec import read_study
from analogff.study.run.execute import build, execute
from analogff.study.run.plan import plan_runs
from analogff.study.task import Task
from analogff.support.mistakes import StudyError

HEAD = """
name = "own"
dataset = "own"
layers = [16]
epochs = 1
chips = 1
"""
IDEAL = '[device]\nmodel = "ideal"\n'
FORWARD = '[[rule]]\nname = "forward-forward"\n'
HYBRID = '[[rule]]\nname = "unsupervised-forward-forward"\n'


@pytest.fixture
def own(tmp_path, write_study):
    """Write a study of arrays."""

    def write(images, labels, *, rule=FORWARD, device=IDEAL, more=""):
        (tmp_path / "own").mkdir()
        for name in raw.NPZ_FILES:
            np.savez(tmp_path / "own" / name, images=images, labels=labels)
        return write_study(head=HEAD + more, rule=rule, device=device)

    return write


def numbers(path):
    study = read_study(path)
    outcome = execute(Task(plan_runs(study), str(study.folder)))
    assert not outcome.failure
    return outcome.numbers.to_pylist()[-1]


def pictures(*shape, classes=3, n=30):
    return np.random.default_rng(0).random((n, *shape)), np.arange(n) % classes


@pytest.mark.parametrize(
    ("data", "parts", "said"),
    [
        (pictures(13), {}, 'rule: Expected labels = "lines" or "rows" for 3 .* over the first 3 of 13 columns'),
        (pictures(2, 2, classes=10), {}, 'labels = "lines" or "rows" for 10 classes .* over all of the 4 pixels'),
        (pictures(16), {"rule": HYBRID}, r"rule: Expected images \(n, height, width\), which hybrids .* Got a table"),
        (pictures(16), {"rule": HYBRID, "more": "jitter = 1\n"}, "jitter: Expected images, to be shifted. Got a table"),
        (
            pictures(16),
            {"more": "flip = true\n"},
            "flip: Expected images, to be flipped. Got a table, .* Leave flip out",
        ),
        (pictures(4, 16), {"more": "jitter = 4\n"}, "jitter: Expected fewer pixels than the 4 of .* shorter side"),
        (
            pictures(4, 16),
            {"device": '[device]\nmodel = "local-fields(ideal)"\nfield = 2\n'},
            "device: Expected channels = 1, height = 4, before = 0, as 1 x 4 x 16 images .* Got channels = 1, height = 8",
        ),
        (pictures(4, 4, classes=1), {}, "dataset: Expected own with at least two classes. Got 0 on every image"),
    ],
)
def test_is_refused_before_anything_runs(own, tmp_path, capsys, data, parts, said):
    path = own(*data, **parts)
    with pytest.raises(SystemExit) as stop:
        main(["run", str(path), "--out", str(tmp_path / "out"), "--workers", "0"])
    assert stop.value.code == 2 and not (tmp_path / "out").exists()
    told = " ".join(capsys.readouterr().err.split())
    assert re.search(said, told), told


@pytest.mark.parametrize("more", ["", "jitter = 2\n"])
def test_wide_color_images_go_through_every_use_of_their_shape(own, more):
    fields = '[device]\nmodel = "local-fields(ideal)"\nfield = 2\nstride = 2\nchannels = 3\nheight = 4\n'
    row = numbers(own(*pictures(3, 4, 8), rule=HYBRID, device=fields, more=more))
    assert np.isfinite(row["train_loss"])


@pytest.mark.slow
def test_a_standardized_table_is_learned_as_the_page_says(own):
    """Three kinds of wine, whose names are texts: a third would be guessed; a line through the columns tells them."""
    table, kinds = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(table))
    table = ((table - table.mean(0)) / table.std(0))[order]
    rule = FORWARD + 'labels = "lines"\nbatch = 20\n'
    more = 'scale = "columns"\nepochs = 15\n'
    path = own(table, np.array(["barolo", "grignolino", "barbera"])[kinds[order]], rule=rule, more="")
    path.write_text(path.read_text().replace("epochs = 1\n", more).replace("[16]", "[50]"))
    assert numbers(path)["test_error"] < 10


def test_bits_in_bytes_are_as_good_as_bits_in_floats(own, tmp_path):
    bits, labels = pictures(6, 6)
    bits = (bits > 0.5).astype(np.uint8)
    first = numbers(own(bits, labels))
    for name in raw.NPZ_FILES:
        np.savez(tmp_path / "own" / name, images=bits.astype(float), labels=labels)
    second = numbers(tmp_path / "study.toml")
    assert first["train_loss"] == second["train_loss"]


@pytest.mark.parametrize(
    ("labels", "first", "second"),
    [("overlay", (0, 3), (0, 0)), ("lines", (3, 0), (0, 0)), ("rows", (3, 0), (3, 0))],
)
def test_fields_receive_labels_where_the_rule_writes_them(own, labels, first, second):
    """Before the image or over it, and nobody has to count them; what is written stands."""
    parts = (
        ["faulty(local-fields(ideal))", "field = 4", "stride = 4"],
        ["local-fields(ideal)", "field = 2", "channels = 4"],
    )
    device = "".join(f'[[device]]\nmodel = "{model}"\n{a}\n{b}\n' for model, a, b in parts)
    path = own(*pictures(8, 8), rule=f'{FORWARD}labels = "{labels}"\n', device=device)
    path.write_text(path.read_text().replace("[16]", "[16, 12]"))
    for more, expected in (("", [first, second]), ("over = 1\n", [(first[0], 1), second])):
        path.write_text(path.read_text().replace("stride = 4\n", f"stride = 4\n{more}"))
        study = read_study(path)
        _, chips = build(Task(plan_runs(study), str(study.folder)), load_dataset("own", folder=study.folder))
        layers = [chips.devices[0].chip.connection, chips.devices[1].connection]
        assert [layer.common for layer in layers] == [sum(lines) for lines in expected]
        before, over = expected[0]
        image = torch.arange(64).view(8, 8)[4:, 4:].flatten() + before
        assert layers[0].lines[3, 0].tolist() == [*range(before + over), *image.tolist()]


def test_a_wrong_number_of_lines_before_the_image_is_still_refused(own):
    device = '[device]\nmodel = "local-fields(ideal)"\nfield = 2\nbefore = 2\n'
    path = own(*pictures(4, 4), rule=f'{FORWARD}labels = "lines"\n', device=device)
    with pytest.raises(StudyError, match="Expected channels = 1, height = 4, before = 3, as .* before = 2. Write"):
        read_study(path)
