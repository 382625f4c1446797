"""What a stored number means: told by its range where that is clear, by `scale` where it is not."""

import numpy as np
import pytest
import torch

from analogff.data import DataError, ImageShape, Range, load_dataset, raw


@pytest.fixture
def stored(tmp_path):
    """Store images as both parts of a data set, and return a loader of it."""

    def store(images, test=None, labels=None):
        for name, array in zip(raw.NPZ_FILES, (images, images if test is None else test), strict=True):
            array = np.asarray(array)
            np.savez(tmp_path / name, images=array, labels=np.arange(len(array)) % 2 if labels is None else labels)
        return lambda **told: load_dataset(str(tmp_path), **told)

    return store


def pixels(most, dtype):
    """Draw ten images that reach from 0 to a number."""
    images = np.random.default_rng(0).integers(0, most + 1, (10, 4, 4))
    images[0, 0, :2] = 0, most
    return images.astype(dtype)


@pytest.mark.parametrize(
    ("images", "one"),
    [
        (pixels(1, np.uint8), 1),  # bits in bytes, which were black until 0.12
        (pixels(1, bool), 1),
        (pixels(255, np.uint8), 255),
        (pixels(130, np.uint8), 255),
        (pixels(255, np.int64), 255),
        (pixels(1, np.float64), 1),
        (pixels(100, np.float64) / 200, 1),
    ],
)
def test_a_clear_range_tells_the_scale(stored, images, one):
    expected = torch.tensor(images.reshape(10, -1).astype(np.float32)) / one
    assert torch.equal(stored(images)().train.images, expected)


@pytest.mark.parametrize(
    "images",
    [
        pixels(16, np.uint8),
        pixels(127, np.uint8),
        pixels(4095, np.uint16),
        pixels(255, np.float32),
        pixels(1, np.float64) / 255,  # divided once too often
    ],
)
def test_a_range_that_is_not_clear_is_asked_for_and_the_advice_serves(stored, images):
    load = stored(images)
    with pytest.raises(DataError, match="with a clear scale: .* Write scale = ") as raised:
        load()
    assert raised.value.field == "scale"
    advised = float(str(raised.value).split("Write scale = ")[1].split(",")[0])
    assert load(scale=advised).train.images.max() == 1
    assert torch.allclose(load(scale=2 * advised).train.images, load(scale=advised).train.images / 2)


def test_both_parts_are_scaled_by_what_training_images_say(stored):
    data = stored(pixels(255, np.uint8), test=pixels(100, np.uint8))()
    assert data.test.images.max() == pytest.approx(100 / 255)


@pytest.mark.parametrize(
    ("images", "told", "said"),
    [
        (pixels(255, np.uint8), {"scale": 16}, r"up to its scale, 16\. Got some up to 255\. Write scale = 255"),
        (pixels(2, float) - 1, {}, r"with numbers from 0\. Got some down to -1\. Store them from 0 on"),
        (pixels(2, float)[:, 0] - 1, {}, r'Got some down to -1\. Write scale = "columns".* labels = "lines"'),
        (pixels(9, float), {"scale": "columns"}, r'Expected a table .* beside scale = "columns"\. Got \(10, 4, 4\)'),
        (pixels(1, float), {"scale": 1e-40}, "Expected a scale from 1e-30 to 1e[+]30. Got 1e-40"),
    ],
)
def test_a_scale_that_does_not_fit_is_the_one_to_blame(stored, images, told, said):
    with pytest.raises(DataError, match=said) as raised:
        stored(images)(**told)
    assert raised.value.field == "scale"


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.full((2, 3), np.nan), "training images of finite numbers. Got nan to nan"),
        (np.array([[0, np.inf], [1, 0]]), "finite numbers. Got 0 to inf"),
        (np.full((2, 3), 7.0), "images that differ. Got 7 everywhere"),
        (np.zeros((2, 3), complex), "images of real numbers. Got complex128"),
        (np.array([["a", "b"], ["c", "d"]]), "images of real numbers. Got <U1"),
        (np.zeros((2, 1, 1, 1, 1)), "Got 5 dimensions"),
        (np.zeros((2, 32, 24, 3)), r"whose channels stand last. Store images.transpose\(0, 3, 1, 2\)"),
    ],
)
def test_arrays_that_are_no_images(stored, images, said):
    with pytest.raises(DataError, match=said):
        stored(images)()


def test_parts_of_other_sizes(stored):
    with pytest.raises(DataError, match=r"one size. Got \(4, 16\) in training and \(8, 8\) in test images"):
        stored(np.eye(64).reshape(64, 4, 16), test=np.eye(64).reshape(64, 8, 8))()


def test_images_keep_their_shape_row_by_row_with_the_channels_of_a_pixel_together(stored):
    images = np.random.default_rng(0).random((6, 3, 2, 5))
    data = stored(images)()
    assert data.image == ImageShape(channels=3, height=2, width=5) and data.n_in == data.image.n_in == 30
    lines = data.train.images.view(6, 2, 5, 3)
    assert torch.equal(lines.permute(0, 3, 1, 2), torch.tensor(images, dtype=torch.float32))


@pytest.mark.parametrize(("name", "side"), [("mnist", 28), ("digits", 8)])
def test_data_sets_with_a_name_have_a_shape(name, side):
    assert load_dataset(name).image == (1, side, side)


def test_columns_drive_two_lines_each_by_the_range_of_what_is_learned_from(stored):
    """Standardized columns: the range is neither that of validation nor that of test rows."""
    train = np.random.default_rng(0).normal(size=(30, 3))
    train[:, 2] = 5
    train[25:] *= 10
    test = 3 * train[::-1]
    data = stored(train, test)(scale="columns", train_images=20, validation_images=5)
    by = Range.of(train[:20])
    assert data.n_in == 6 and data.image is None
    assert np.array_equal(data.train.images.numpy(), by.lines(train[:20]))
    assert np.array_equal(data.validation.images.numpy(), by.lines(train[25:]))
    assert np.array_equal(data.test.images.numpy(), by.lines(test))
    assert data.train.images[:, [2, 5]].abs().max() == 0 and data.train.images.max() == 1
    with pytest.raises(DataError, match="a column that differs in training"):
        stored(np.ones((4, 2)))(scale="columns")
