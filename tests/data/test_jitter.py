import pytest
import torch

from analogff.data import DataError, check_jitter, jittered

SIDE = 6


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def shifts_found(images, moved, pixels):
    """Try every shift by slicing, and return for each image the one that explains it."""
    found = []
    for image, answer in zip(images.view(-1, SIDE, SIDE), moved.view(-1, SIDE, SIDE), strict=True):
        fits = []
        for down in range(-pixels, pixels + 1):
            for right in range(-pixels, pixels + 1):
                expected = torch.zeros(SIDE, SIDE)
                there = lambda n: slice(max(n, 0), SIDE + min(n, 0))  # noqa: E731
                expected[there(down), there(right)] = image[there(-down), there(-right)]
                fits += [(down, right)] * torch.equal(answer, expected)
        assert len(fits) == 1
        found += fits
    return torch.tensor(found)


def test_each_image_is_shifted_by_itself_and_uniformly():
    images = 0.1 + torch.rand(900, SIDE**2, generator=generator())
    found = shifts_found(images, jittered(images, 1, generator(1)), 1)
    counts = torch.unique(found, dim=0, return_counts=True)[1]
    assert len(counts) == 9
    chi_square = ((counts - 100).square() / 100).sum()
    assert chi_square < 26.1  # exceeded once in a thousand with 8 degrees of freedom


@pytest.mark.parametrize("pixels", [2, 5])
def test_shifts_reach_as_far_as_was_said(pixels):
    images = 0.1 + torch.rand(200, SIDE**2, generator=generator())
    found = shifts_found(images, jittered(images, pixels, generator(1)), pixels)
    assert (found.min(), found.max()) == (-pixels, pixels)


def test_without_jitter_images_stay_and_nothing_is_drawn():
    images, drawn = torch.rand(3, SIDE**2), generator()
    before = drawn.get_state()
    assert jittered(images, 0, drawn) is images and torch.equal(drawn.get_state(), before)


@pytest.mark.parametrize(
    ("pixels", "n_in", "said"),
    [
        (1, 300, r"Expected square images, to be shifted\. Got images of 300 pixels\. Write jitter = 0\."),
        (28, 784, r"Expected fewer pixels than the 28 of an image's side\. Got 28, which .* Shift by fewer\."),
    ],
)
def test_what_cannot_be_shifted_is_refused(pixels, n_in, said):
    with pytest.raises(DataError, match=said):
        check_jitter(pixels, n_in)


@pytest.mark.parametrize(("pixels", "n_in"), [(0, 300), (27, 784)])
def test_what_can_be_shifted_is_not(pixels, n_in):
    check_jitter(pixels, n_in)
