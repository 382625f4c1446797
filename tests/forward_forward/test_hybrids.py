import pytest
import torch

from analogff.data import ImageShape
from analogff.forward_forward.hybrids import MOST_BLURS, hybrids, mixtures, other_images, random_masks


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def blurred_slowly(bits, blurs):
    """Blur line by line with the edge repeated, as written in the paper."""
    image = bits.double()
    for _ in range(blurs):
        for axis in (-1, -2):
            line = image.transpose(axis, -1)
            padded = torch.cat([line[..., :1], line, line[..., -1:]], -1)
            line = padded[..., :-2] / 4 + padded[..., 1:-1] / 2 + padded[..., 2:] / 4
            image = line.transpose(axis, -1)
    return image


@pytest.mark.parametrize("blurs", [0, 1, 6, MOST_BLURS])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (28, 28), (4, 16), (16, 1)])
def test_masks_are_bits_blurred_step_by_step_and_cut(blurs, height, width):
    """Exactly: every blurred bit is a multiple of 2 ** -4 blurs, which a double holds."""
    bits = torch.randint(0, 2, (20, height, width), generator=generator(), dtype=torch.float64)
    expected = (blurred_slowly(bits, blurs) > 0.5).flatten(1)
    assert torch.equal(random_masks(20, ImageShape(1, height, width), blurs, generator()), expected)


def test_masks_are_fair_and_more_blurs_make_larger_blobs():
    def borders(blurs):
        masks = random_masks(400, ImageShape(1, 28, 28), blurs, generator()).view(-1, 28, 28)
        assert masks.double().mean() == pytest.approx(0.5, abs=0.03)
        return (masks[..., 1:] != masks[..., :-1]).double().mean().item()

    found = [borders(blurs) for blurs in (0, 2, 6, 12)]
    assert found[0] == pytest.approx(0.5, abs=0.01)
    # A threshold of Gaussian noise changes sign with arccos(r) / pi; blurred k times, bits correlate as below.
    for blurs, share in zip((2, 6, 12), found[1:], strict=True):
        line = torch.zeros(28, 28)
        line[14, 14] = 1
        spread = blurred_slowly(line, blurs)[14]
        r = (spread[1:] @ spread[:-1]) / (spread @ spread)
        assert share == pytest.approx((torch.arccos(r) / torch.pi).item(), rel=0.1)


def test_a_hybrid_is_one_image_or_the_other_at_every_pixel():
    images, others = torch.rand(2, 9, 49, generator=generator())
    masks = random_masks(9, ImageShape(1, 7, 7), 2, generator())
    m = masks.float()
    torch.testing.assert_close(hybrids(images, others, masks), images * m + others * (1 - m), rtol=0, atol=0)


def test_a_mixture_has_the_direction_of_the_sum():
    images, others = torch.rand(2, 9, 49, generator=generator())
    mixed = mixtures(images, others)
    assert torch.equal(2 * mixed, images + others) and mixed.max() <= 1


def test_the_other_image_is_never_the_same_and_uniform_over_the_rest():
    n, draws = 6, 5000
    shift = torch.stack([(other_images(n, g) - torch.arange(n)) % n for g in [generator()] for _ in range(draws)])
    counts = torch.bincount(shift.flatten(), minlength=n).double()
    assert counts[0] == 0
    expected = n * draws / (n - 1)
    assert ((counts[1:] - expected) ** 2 / expected).sum() < 18.5  # 99.9 % of a chi-square, 4 degrees of freedom
    assert other_images(1, generator()).tolist() == [0]


def test_all_channels_of_a_pixel_are_of_one_image():
    gray = random_masks(5, ImageShape(1, 3, 8), 2, generator())
    color = random_masks(5, ImageShape(3, 3, 8), 2, generator())
    assert torch.equal(color.view(5, 24, 3), gray[..., None].expand(-1, -1, 3))
