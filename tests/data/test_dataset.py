"""The data is the published data, its parts never mix, and what is damaged is named."""

import gzip
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from analogff.data import (
    DataChoice,
    DataError,
    check_dataset,
    dataset_names,
    fingerprint,
    load_dataset,
    look_at_dataset,
    raw,
)


@pytest.fixture(autouse=True)
def forget():
    """Read anew in every test that plays with files."""
    yield
    raw.fashion_mnist.cache_clear()


def write_idx(path: Path, array: np.ndarray):
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def small(n: int, seed: int = 0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (n, 3, 2), dtype=np.uint8), generator.integers(0, 4, n, dtype=np.uint8)


def fill(folder: Path, suffix: str = ".gz", train: int = 10, test: int = 6):
    for name, array in zip(raw.IDX_FILES, (*small(train), *small(test, 1)), strict=True):
        write_idx(folder / f"{name}{suffix}", array)
    return folder


@pytest.mark.slow
def test_mnist_is_whole_and_scaled():
    data = load_dataset("mnist", validation_images=2000)
    assert (len(data.train), len(data.validation), len(data.test)) == (58000, 2000, 10000)
    assert (data.n_in, data.classes) == (784, 10)
    assert data.train.images.dtype == torch.float32 and data.train.labels.dtype == torch.int64
    assert data.train.images.min() == 0 and data.train.images.max() == 1
    # LeCun's counts of the digits in the test set, and the published mean pixel, .1307.
    assert data.test.labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert torch.cat([data.train.images, data.validation.images]).mean() == pytest.approx(0.1307, abs=5e-5)


def test_validation_is_the_end_and_training_the_front():
    everything = load_dataset("digits").train.images
    data = load_dataset("digits", train_images=100, validation_images=37)
    assert torch.equal(data.train.images, everything[:100])
    assert torch.equal(data.validation.images, everything[-37:])
    assert len(data.test) == len(load_dataset("digits").test) == 360


def test_digits_hold_a_fifth_of_each_class_apart():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    data = load_dataset("digits")
    assert (data.n_in, data.classes, len(data.train) + len(data.test)) == (64, 10, len(images))
    assert torch.allclose(data.test.labels.bincount(), torch.tensor(np.bincount(labels)) // 5, atol=1)
    rows = np.concatenate([data.train.images.numpy(), data.test.images.numpy()]) * 16
    assert np.array_equal(np.sort(rows.sum(1)), np.sort(images.sum(1)))


@pytest.mark.parametrize("asked", [{"train_images": 1400, "validation_images": 100}, {"validation_images": 1437}])
def test_more_images_than_there_are(asked):
    with pytest.raises(DataError, match=r"Expected at most the 1437 training images .* Got .* Ask for fewer"):
        load_dataset("digits", **asked)


@pytest.mark.parametrize(
    ("name", "asked", "held_out"),
    [
        ("mnist", {}, 2000),
        ("digits", {}, 143),
        ("digits", {"train_images": 1400}, 37),
        ("digits", {"train_images": 1437}, 0),
    ],
)
def test_where_nothing_is_said_as_many_are_held_out_as_the_data_has(name, asked, held_out):
    data = load_dataset(name, validation_images=None, **asked)
    assert len(data.validation) == held_out
    assert torch.equal(data.validation.images, load_dataset(name, validation_images=held_out).validation.images)


@pytest.mark.parametrize("asked", [{"train_images": 0}, {"validation_images": -1}])
def test_numbers_that_make_no_sense(asked):
    with pytest.raises(DataError, match="Give positive numbers"):
        load_dataset("digits", **asked)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_folder_of_idx_relative_to_the_study(tmp_path, suffix):
    fill(tmp_path, suffix)
    data = load_dataset(tmp_path.name, folder=tmp_path.parent, validation_images=2)
    images, labels = small(10)
    assert torch.equal(data.train.images, torch.tensor(images[:8].reshape(8, 6) / 255, dtype=torch.float32))
    assert data.validation.labels.tolist() == labels[8:].tolist()


def test_folder_of_npz(tmp_path):
    images = np.linspace(0, 1, 30).reshape(5, 6)
    for name in raw.NPZ_FILES:
        np.savez(tmp_path / name, images=images, labels=np.arange(5))
    data = load_dataset(str(tmp_path))
    assert (data.n_in, data.classes) == (6, 5)
    assert torch.equal(data.test.images, torch.tensor(images, dtype=torch.float32))


def test_an_edited_folder_is_read_again_and_is_another_one(tmp_path):
    fill(tmp_path)
    before, images = fingerprint(tmp_path.name, tmp_path.parent), load_dataset(str(tmp_path)).train.images
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", small(10, seed=2)[0])
    assert fingerprint(tmp_path.name, tmp_path.parent) != before
    assert not torch.equal(load_dataset(str(tmp_path)).train.images, images)
    assert fingerprint("mnist") == fingerprint("digits") == ""


def test_npz_cannot_run_code(tmp_path):
    for name in raw.NPZ_FILES:
        np.savez(tmp_path / name, images=np.array([{}], dtype=object), labels=np.arange(1))
    with pytest.raises(DataError, match="images that are numbers or texts. Got object"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-3], "cut off or padded"),
        (lambda content: content + b"0", "cut off or padded"),
        (lambda content: b"\x00\x00\x0d" + content[3:], "starts with 00000d03"),
        (lambda content: content[:5], "Got 5 bytes"),
    ],
)
def test_damaged_idx_file_is_named(tmp_path, damage, message):
    path = fill(tmp_path, "") / raw.IDX_FILES[0]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=message) as raised:
        load_dataset(str(tmp_path))
    assert str(path) in str(raised.value)


def test_truncated_gzip_is_named(tmp_path):
    path = fill(tmp_path) / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"readable file at .*t10k-images.*Fetch it again"):
        load_dataset(str(tmp_path))


def test_damaged_mnist_asks_to_reinstall(tmp_path, monkeypatch):
    shutil.copytree(raw._MNIST, tmp_path / "mnist")
    write_idx(tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz", np.zeros(10000, np.uint8))
    monkeypatch.setattr(raw, "_MNIST", tmp_path / "mnist")
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte.gz .* damaged. Reinstall analogff."):
        raw.mnist.__wrapped__()


def test_fashion_mnist_is_looked_for_and_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "_DEBIAN", tmp_path / "nowhere")
    monkeypatch.delenv("ANALOGFF_DATA", raising=False)
    with pytest.raises(DataError, match="dataset-fashion-mnist, or set ANALOGFF_DATA"):
        check_dataset("fashion-mnist")
    (tmp_path / "fashion-mnist").mkdir()
    fill(tmp_path / "fashion-mnist")
    monkeypatch.setenv("ANALOGFF_DATA", str(tmp_path))
    check_dataset("fashion-mnist")
    with pytest.raises(DataError, match="published sum"):
        load_dataset("fashion-mnist")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnits", "Did you mean mnist?"),
        ("nothing/like/it", "Choose one of mnist, fashion-mnist, digits, .*, or give the path of a folder or file"),
        ("x" * 300, "Got 'x+[.]{3}x+', which is no name and not in '.*'[.] Choose one"),
        ("nul\0", "a folder or a file. Got 'nul..?x00', which is no name"),
        ("~nobody-of-this-name/data", "Write its whole path"),
        (".", "the four IDX files"),
    ],
)
def test_unknown_names_are_refused_before_reading(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        check_dataset(name, tmp_path)
    assert name not in dataset_names()


@pytest.mark.parametrize("gray", [False, True])
def test_a_look_tells_what_loading_would(tmp_path, gray):
    """And resizes nothing."""
    random = np.random.default_rng(0)
    for part, n in (("train", 30), ("test", 7)):
        images = random.integers(0, 256, (n, 3, 8, 6), np.uint8)
        np.savez(tmp_path / f"{part}.npz", images=images, labels=np.arange(n) % 3)
    choice = DataChoice(str(tmp_path), image_size=(5, 4), gray=gray)
    looked = look_at_dataset(choice, 20, 4)
    loaded = load_dataset(**choice._asdict(), train_images=20, validation_images=4)
    assert (looked.n_in, looked.image, looked.classes) == (loaded.n_in, loaded.image, loaded.classes)
    assert looked.n_in == loaded.train.images.shape[1] == 5 * 4 * (1 if gray else 3)
    assert torch.equal(looked.train.labels, loaded.train.labels)
    assert looked.unlabeled is not None and loaded.unlabeled is not None
    assert len(looked.unlabeled) == len(loaded.unlabeled) == 6
    assert looked.train.images.shape[1] == 8 * 6 * (1 if gray else 3)


def test_a_look_refuses_a_size_of_tables(tmp_path):
    for part in ("train", "test"):
        np.savez(tmp_path / f"{part}.npz", images=np.eye(4, dtype=np.uint8), labels=np.arange(4))
    for read in (look_at_dataset, lambda choice, n, m: load_dataset(**choice._asdict(), train_images=n)):
        with pytest.raises(DataError, match="images .n, height, width. beside image_size") as refused:
            read(DataChoice(str(tmp_path), image_size=(5, 4)), 4, 0)
        assert refused.value.field == "image_size"
