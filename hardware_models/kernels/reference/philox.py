r"""Counter-based random numbers, addressed by position: the clear implementation, on any torch device.

.. math:: (w_0, w_1, w_2, w_3) = \mathrm{Philox}_{4\times32\text{-}10}(\text{counter}, \text{key})

The key is the 64-bit seed of a chip; the counter is (row, row's high word, column // 4, stream). A number is
so a function of where it is used: it does not matter what else is drawn, in which order, or by whom.

Reference:
    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3 (Philox-4x32-10).
"""

import math

import torch

WORD = 0xFFFFFFFF
ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)


def philox(counter: tuple[torch.Tensor, ...], key: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Return the four 32-bit words at a counter, as int64.

    Args:
        counter: Four words, int64 in [0, 2^32), that broadcast.
        key: Two words.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        # int64 wraps around, which leaves all 64 bits of the unsigned product right; the mask drops the sign
        p0, p1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1, c2, c3 = (p1 >> 32 & WORD) ^ c1 ^ k0, p1 & WORD, (p0 >> 32 & WORD) ^ c3 ^ k1, p0 & WORD
        k0, k1 = k0 + KEY_STEPS[0] & WORD, k1 + KEY_STEPS[1] & WORD
    return c0, c1, c2, c3


def normal(seeds: torch.Tensor, first_row: torch.Tensor | int, rows: int, columns: int, stream: int) -> torch.Tensor:
    """Draw standard normals by Box and Muller's transform, in double precision.

    Args:
        seeds: One a chip, int64 ``(chips,)``.
        first_row: Number of the first row, one for all chips or ``(chips,)``.
        rows: How many rows from there.
        columns: How many columns from column 0.
        stream: What the numbers are for, a `Stream`.

    Returns:
        float32 ``(chips, rows, columns)``; no number exceeds 6.7 in magnitude.
    """
    w0, w1, w2, w3 = _words(seeds, first_row, rows, columns, stream)
    quads = torch.stack([*_box_muller(w0, w1), *_box_muller(w2, w3)], -1)
    return quads.flatten(2)[..., :columns].float().contiguous()


def uniform(seeds: torch.Tensor, first_row: torch.Tensor | int, rows: int, columns: int, stream: int) -> torch.Tensor:
    """Draw from [0, 1) with 24 bits; arguments as `normal`."""
    quads = torch.stack(_words(seeds, first_row, rows, columns, stream), -1)
    return ((quads >> 8).float() * 2.0**-24).flatten(2)[..., :columns].contiguous()


def add_normal_(
    y: torch.Tensor, sigma: torch.Tensor, seeds: torch.Tensor, first_row: torch.Tensor | int, stream: int
) -> torch.Tensor:
    """Add noise in place.

    Args:
        y: float32 ``(chips, rows, columns)``.
        sigma: Standard deviation, broadcasts to ``y``.
        seeds: As in `normal`.
        first_row: As in `normal`.
        stream: As in `normal`.
    """
    return y.add_(sigma * normal(seeds, first_row, y.shape[1], y.shape[2], stream))


def _words(seeds, first_row, rows, columns, stream):
    device = seeds.device
    first = torch.as_tensor(first_row, dtype=torch.int64, device=device).expand(seeds.shape)
    row = (first[:, None] + torch.arange(rows, device=device))[:, :, None]
    block = torch.arange((columns + 3) // 4, device=device).expand(*row.shape[:2], -1)
    key = seeds[:, None, None]
    counter = row & WORD, row >> 32 & WORD, block, torch.full_like(block, stream)
    return philox(counter, (key & WORD, key >> 32 & WORD))


def _box_muller(u: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    # rounded to single, which is fine near 0, where the tail comes from
    share = (u >> 1).float() * 2.0**-31 + 2.0**-32
    radius = (-2 * share.double().log()).sqrt()
    angle = v.double() * (2 * math.pi / 2**32)
    return radius * angle.cos(), radius * angle.sin()
