"""Labels as they are stored become classes from 0, and keep their names."""

import numpy as np
import pytest
import torch

from analogff.data import DataError, load_dataset, raw

IMAGES = np.random.default_rng(0).random((12, 2, 3))


@pytest.fixture
def load(tmp_path):
    def load_labels(train, test=None, **told):
        for name, labels in zip(raw.NPZ_FILES, (train, train if test is None else test), strict=True):
            np.savez(tmp_path / name, images=IMAGES[: len(labels)], labels=labels)
        return load_dataset(str(tmp_path), **told)

    return load_labels


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        ([3, 7, 3, 7], "3 7", [0, 1, 0, 1]),
        ([10, 1, 2, 1], "1 2 10", [2, 0, 1, 0]),
        ([-1, 1, -1, 1], "-1 1", [0, 1, 0, 1]),
        ([False, True, True, False], "False True", [0, 1, 1, 0]),
        (["cat", "ant", "cat", "bee"], "ant bee cat", [2, 0, 2, 1]),
        ([b"cat", "ähm".encode(), b"cat", b"cat"], "cat ähm", [0, 1, 0, 0]),
        (np.array([2**64 - 1, 0, 2**64 - 1], np.uint64), "0 18446744073709551615", [1, 0, 1]),
        (np.array([1, 0, 1], ">u4"), "0 1", [1, 0, 1]),
    ],
)
def test_labels_are_numbered_as_they_are_sorted(load, labels, names, numbers):
    data = load(np.array(labels))
    assert data.label_names == tuple(names.split()) and data.classes == len(data.label_names)
    assert data.train.labels.tolist() == data.test.labels.tolist() == numbers
    assert data.train.labels.dtype == torch.int64


def test_a_test_set_may_lack_a_class_and_keeps_the_numbers_of_training(load):
    data = load(np.array(["a", "b", "c", "b", "a", "c"]), np.array(["c", "a"]))
    assert data.classes == 3 and data.test.labels.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        ([0.0, 1.0], None, "whole numbers or texts. Got float64. Number or name the classes"),
        ([0, 0, 0], None, "at least two classes. Got 0 on every image"),
        ([0, 1, 0, 1, 10**12], [0, 1], "Got 1000000000000 on one training image, number 4, and on no test image"),
        ([0, 1, 0, 1], [0, 9], "Got 9 on 1 test images and on no training image, first on number 1"),
        (["a", "b"], [0, 1], "labels of one kind. Got <U1 in training and int64 in test"),
        ([[1, 0], [0, 1]], None, r"labels of shape \(2, 2\). Store labels.argmax\(1\)"),
        ([[1], [0]], None, r"labels of shape \(2, 1\). Store labels.ravel\(\)"),
        (["x" * 300, "a", "b", "a", "b"], ["a", "b"], r"Got '(x+)\.\.\.(x+)' on one training image"),
    ],
)
def test_labels_that_are_no_classes_are_named(load, train, test, said):
    with pytest.raises(DataError, match=said) as raised:
        load(np.array(train), None if test is None else np.array(test))
    assert len(str(raised.value)) < 400 and raised.value.field == "dataset"


def test_one_class_in_what_is_learned_from_is_the_number_to_blame(load):
    labels = np.array(["a"] * 6 + ["b"] * 6)
    with pytest.raises(DataError, match="of at least two classes. Got 'a' on all of the first 5 .* shuffle") as raised:
        load(labels, train_images=5)
    assert raised.value.field == "train_images"
    assert load(labels, train_images=7).classes == 2


def test_another_number_of_labels_than_of_images(tmp_path):
    for name in raw.NPZ_FILES:
        np.savez(tmp_path / name, images=IMAGES, labels=[0, 1])
    with pytest.raises(DataError, match=r"one label a training image. Got images of shape \(12, 2, 3\) and labels"):
        load_dataset(str(tmp_path))
