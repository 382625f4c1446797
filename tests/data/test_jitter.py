import pytest
import torch

from analogff.data import DataError, ImageShape, check_jitter, jittered
from analogff.data.augmentation import flipped

SQUARE, WIDE, COLOR = ImageShape(1, 6, 6), ImageShape(1, 4, 16), ImageShape(3, 6, 7)


@pytest.mark.parametrize("shape", [SQUARE, WIDE, COLOR])
def test_a_flipped_image_is_its_mirror_image_left_to_right(shape):
    images = torch.rand(5, shape.n_in, generator=generator())
    pictures = images.view(5, shape.height, shape.width, shape.channels).numpy()
    assert (flipped(images, shape).view(pictures.shape).numpy() == pictures[:, :, ::-1]).all()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def shifts_found(images, moved, shape, pixels):
    """Try every shift by slicing, and return for each image the one that explains it."""
    channels, height, width = shape
    found = []
    for image, answer in zip(*(i.view(-1, height, width, channels) for i in (images, moved)), strict=True):
        fits = []
        for down in range(-pixels, pixels + 1):
            for right in range(-pixels, pixels + 1):
                expected = torch.zeros(height, width, channels)
                there = lambda n, side: slice(max(n, 0), side + min(n, 0))  # noqa: E731
                expected[there(down, height), there(right, width)] = image[there(-down, height), there(-right, width)]
                fits += [(down, right)] * torch.equal(answer, expected)
        assert len(fits) == 1
        found += fits
    return torch.tensor(found)


def test_each_image_is_shifted_by_itself_and_uniformly():
    images = 0.1 + torch.rand(900, SQUARE.n_in, generator=generator())
    found = shifts_found(images, jittered(images, SQUARE, 1, generator(1)), SQUARE, 1)
    counts = torch.unique(found, dim=0, return_counts=True)[1]
    assert len(counts) == 9
    chi_square = ((counts - 100).square() / 100).sum()
    assert chi_square < 26.1  # exceeded once in a thousand with 8 degrees of freedom


@pytest.mark.parametrize(("shape", "pixels"), [(SQUARE, 2), (SQUARE, 5), (WIDE, 3), (COLOR, 2)])
def test_shifts_reach_as_far_as_was_said_in_the_shape_that_images_have(shape, pixels):
    images = 0.1 + torch.rand(200, shape.n_in, generator=generator())
    found = shifts_found(images, jittered(images, shape, pixels, generator(1)), shape, pixels)
    assert found.min(0).values.tolist() == [-pixels] * 2 and found.max(0).values.tolist() == [pixels] * 2


@pytest.mark.parametrize("shape", [SQUARE, None])
def test_without_jitter_images_stay_and_nothing_is_drawn(shape):
    images, drawn = torch.rand(3, 36), generator()
    before = drawn.get_state()
    assert jittered(images, shape, 0, drawn) is images and torch.equal(drawn.get_state(), before)


@pytest.mark.parametrize(
    ("pixels", "shape", "said"),
    [
        (1, None, r"Expected images, to be shifted\. Got a table, .* Write jitter = 0"),
        (28, ImageShape(1, 28, 28), r"Expected fewer pixels than the 28 of .* Got 28, which .* Shift by fewer\."),
        (4, WIDE, r"Expected fewer pixels than the 4 of an image's shorter side\. Got 4"),
    ],
)
def test_what_cannot_be_shifted_is_refused(pixels, shape, said):
    with pytest.raises(DataError, match=said) as raised:
        check_jitter(pixels, shape)
    assert raised.value.field == "jitter"


@pytest.mark.parametrize(("pixels", "shape"), [(0, None), (27, ImageShape(1, 28, 28)), (3, WIDE)])
def test_what_can_be_shifted_is_not(pixels, shape):
    check_jitter(pixels, shape)
