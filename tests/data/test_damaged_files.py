"""Whatever lies in a data folder: either it is data, or one sentence says what is wrong with which file."""

import contextlib
import gzip
import io
import json
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analogff.catalog import resolve_device, resolve_rule
from analogff.cli import main
from analogff.data import DataError, check_dataset, load_dataset, raw
from analogff.study.read.spec import read_study
from analogff.support.mistakes import StudyError
from tests.helpers import damage

STUDY = """
name = "damaged"
dataset = {dataset}
layers = [4]
epochs = 1
chips = 1
[device]
model = "ideal"
[[rule]]
name = "backprop"
"""
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30) | st.sampled_from(
    ["x" * 300, "~x/y", "~", "/", "..", "a/" * 3000, "/proc/self/mem", "/dev/null", "nul\\0"]
)


@pytest.fixture(scope="module", autouse=True)
def warm():
    """Import what the first study imports, for which no example is to blame."""
    resolve_rule("backprop"), resolve_device("ideal", Path())


def with_examples(test, examples):
    """Give a check examples that are always the same."""
    quiet = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    return quiet(given(damage.FOLDERS)(test))


def is_data_or_one_sentence(files):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "mine"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        start = time.process_time()
        try:
            check_data(load_dataset("mine", validation_images=None, folder=place))
        except DataError as error:
            check_sentence(str(error), names=["mine", *files])
            check_refusal(Path(place))
        assert time.process_time() - start < 5  # of this process alone, whoever else works here


def check_data(data):
    for part in (data.train, data.validation, data.test):
        assert part.images.shape == (len(part.labels), data.n_in)
        assert ((part.images >= 0) & (part.images <= 1)).all()
        assert ((part.labels >= 0) & (part.labels < data.classes)).all()
    assert data.classes == len(data.label_names) >= 2
    assert data.image is None or data.image.n_in == data.n_in


def check_sentence(said, names):
    assert said.startswith("Expected ") and said.count("Expected ") == 1 and ". Got " in said
    assert any(name in said for name in names) and len(said) < 900 and "\n" not in said


def check_refusal(place):
    """Read a study of it, which a command does before it writes anything."""
    study = place / "study.toml"
    study.write_text(STUDY.format(dataset='"mine"'))
    before = sorted(place.rglob("*"))
    with pytest.raises(StudyError) as raised:
        read_study(study)
    assert len(raised.value.mistakes) == 1 and sorted(place.rglob("*")) == before


test_a_folder_is_data_or_one_sentence = with_examples(is_data_or_one_sentence, 20)
test_many_folders_are_data_or_one_sentence = pytest.mark.slow(with_examples(is_data_or_one_sentence, 2000))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(NAMES)
def test_a_name_is_there_or_one_sentence_says_that_it_is_not(name):
    try:
        check_dataset(name, "/nowhere")
    except DataError as error:
        said = str(error)
        assert said.startswith("Expected ") and ". Got " in said and len(said) < 10_000


def refused_by_command(tmp_path, dataset):
    """Run a study of a data set, and return what is said."""
    study, said = tmp_path / "study.toml", io.StringIO()
    study.write_text(STUDY.format(dataset=json.dumps(dataset)))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as stop, contextlib.redirect_stderr(said):
        main(["run", str(study), "--out", str(tmp_path / "out"), "--workers", "0"])
    assert stop.value.code == 2 and sorted(tmp_path.rglob("*")) == before
    assert "1 mistake, so nothing was run." in said.getvalue() and "Traceback" not in said.getvalue()
    return " ".join(said.getvalue().split())


@pytest.mark.parametrize("name", ["x" * 300, "~nobody-of-this-name/data", "a/" * 3000])
def test_a_name_that_no_file_system_takes_is_the_mistake_of_the_study(tmp_path, name):
    assert " dataset: Expected " in refused_by_command(tmp_path, name)


@pytest.mark.parametrize("content", [damage.GOOD[:-40], damage.GOOD[:99], b"", damage.npz({"images.npy": b"no array"})])
def test_a_command_says_which_file_is_damaged_and_writes_nothing(tmp_path, content):
    for name in raw.NPZ_FILES:
        (tmp_path / name).write_bytes(content)
    assert "train.npz to hold two arrays" in refused_by_command(tmp_path, ".")


def load(tmp_path, content):
    for name in raw.NPZ_FILES:
        (tmp_path / name).write_bytes(content)
    return load_dataset(str(tmp_path))


def images_with(member: bytes, **more: bytes) -> bytes:
    return damage.npz({"images.npy": member, "labels.npy": damage.npy(damage.LABELS), **more})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (damage.GOOD[:-40], "cannot be read so .BadZipFile"),
        (damage.GOOD[:200] + b"\xff" + damage.GOOD[201:], "cannot be read so .BadZipFile: .Bad CRC-32"),
        (b"", "cannot be read so .BadZipFile"),
        (damage.npy(damage.IMAGES), "cannot be read so .BadZipFile"),  # saved by numpy.save under the wrong name
        (images_with(b"no array"), "cannot be read so .ValueError: .the magic string is not correct"),
        (
            images_with(damage.npy_that_says("'<f8'", "(8, 1000000, 1000000)")),
            "Expected 64000000000000 bytes of images",
        ),
        (images_with(damage.npy_that_says("'|V0'", "(1000000000000000000,)")), "images that are numbers or texts"),
        (damage.npz({"labels.npy": damage.npy(damage.LABELS)}), "KeyError: .There is no item named 'images.npy'"),
        (
            damage.npz({"images.npy": b"", "labels.npy": b""}, zipfile.ZIP_BZIP2),
            "cannot be read so .ValueError: .EOF",
        ),
    ],
)
def test_a_damaged_archive_is_named_with_what_is_wrong(tmp_path, content, said):
    with pytest.raises(DataError, match=said) as raised:
        load(tmp_path, content)
    assert str(tmp_path / "train.npz") in str(raised.value)


def test_a_directory_that_lies_about_sizes_claims_no_memory(tmp_path):
    """Both sizes of the member in the central directory become 3 GB, and the header agrees."""
    member = damage.npy_that_says("'|u1'", "(3000000000,)")
    content = bytearray(images_with(member))
    at = content.index(b"PK\x01\x02") + 20
    content[at : at + 8] = 2 * (3_000_000_000 + len(member)).to_bytes(4, "little")
    with pytest.raises(DataError, match="bytes of images in a file of"):
        load(tmp_path, bytes(content))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_header_of_idx_claims_no_memory(tmp_path, suffix):
    shape = (2**32 - 1,) * 3
    for name, content in damage.IDX.items():
        content = damage.idx(damage.IMAGES, shape) if name == raw.IDX_FILES[0] else content
        (tmp_path / f"{name}{suffix}").write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(DataError, match=f"Expected {(2**32 - 1) ** 3} values in .*Got 96. The file is cut off"):
        load_dataset(str(tmp_path))


def test_what_is_whole_is_read(tmp_path):
    for content in (damage.GOOD, damage.PACKED, images_with(damage.npy(np.asfortranarray(damage.IMAGES)))):
        data = load(tmp_path, content)
        assert data.train.images[3].tolist() == pytest.approx((damage.IMAGES[3].ravel() / 255).tolist())
