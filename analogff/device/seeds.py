"""Seeds of parts from the seed of the whole, so that a chip is one integer."""

import hashlib
from collections.abc import Iterable, Sequence


def derive_seed(seed: int, *part: int | str) -> int:
    """Return a 63-bit seed for a named part of something that has a seed.

    Example:
        >>> derive_seed(7, "layer", 0) == derive_seed(7, "layer", 0) != derive_seed(7, "layer", 1)
        True
    """
    text = "/".join(str(p) for p in (seed, *part))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def chip_seeds(seed: int | Sequence[int]) -> list[int]:
    """Return one seed a chip; a single integer is one chip."""
    if isinstance(seed, Iterable):
        return [int(each) for each in seed]
    return [int(seed)]
