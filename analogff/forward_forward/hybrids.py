"""Negatives made of two images, for learning without labels."""

from functools import cache

import torch

from analogff.data import ImageShape

MOST_BLURS = 13
"""With more, a blurred bit no longer fits the 53 bits of a double, and sums would depend on their order."""


def hybrids(images: torch.Tensor, others: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    r"""Paste two images together along a mask.

    .. math:: h = m \circ x + (1 - m) \circ x'

    Parts as small as a stroke look real, and the whole does not.

    Shapes:
        All ``(batch, n)``; ``masks`` are boolean.

    Reference:
        Hinton (2022), section 3.2.
    """
    return torch.where(masks, images, others)


def mixtures(images: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    r"""Lay two images over each other.

    .. math:: h = (x + x') / 2

    The original shows ``x + x'`` against ``2 x``, and normalizes the pair before it is summed, so that its positives
    are also longer. Here each is shown at the same length, and only the direction tells.

    Shapes:
        All ``(batch, n)``.

    Reference:
        Chen, Liu, Laydevant & Grollier, Self-Contrastive Forward-Forward, Nature Communications 16, 5978 (2025).
    """
    return (images + others) / 2


def other_images(batch: int, generator: torch.Generator) -> torch.Tensor:
    """Draw another image of the batch for each, ``(batch,)``; one that is alone is its own.

    Nobody looks at labels, so that the other may be of the same class.
    """
    shift = torch.randint(1, max(batch, 2), (batch,), generator=generator)
    return (torch.arange(batch) + shift) % batch


def random_masks(batch: int, image: ImageShape, blurs: int, generator: torch.Generator) -> torch.Tensor:
    r"""Draw masks with blobs some pixels wide.

    Random bits are blurred several times with ``[1/4, 1/2, 1/4]`` in both directions, and cut at a half. That blurring
    is linear, so that all of it is two small products; what would leave the image is kept at its edge. All channels of
    a pixel are of one image.

    .. math:: m = [K_h^k B K_w^k > \tfrac12]

    Args:
        batch: How many.
        image: Shape of an image.
        blurs: How often, up to `MOST_BLURS`; blobs are about ``sqrt(blurs)`` pixels wide.
        generator: Draws the bits, once for all chips.

    Returns:
        ``(batch, n_in)``, boolean.

    Reference:
        Hinton (2022), section 3.2.
    """
    bits = torch.randint(0, 2, (batch, image.height, image.width), generator=generator, dtype=torch.float64)
    blurred = _kernel(image.height, blurs) @ (bits @ _kernel(image.width, blurs))
    return (blurred > 0.5).flatten(1).repeat_interleave(image.channels, 1)


@cache
def _kernel(side: int, blurs: int) -> torch.Tensor:
    """Return the matrix that blurs a line so often; it is its own transpose."""
    once = torch.zeros(side, side, dtype=torch.float64)
    for n in range(side):
        for step, weight in ((-1, 0.25), (0, 0.5), (1, 0.25)):
            once[n, min(max(n + step, 0), side - 1)] += weight
    return torch.linalg.matrix_power(once, blurs)
