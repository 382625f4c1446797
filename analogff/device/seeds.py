"""Seeds of parts from the seed of the whole, so that a chip is one integer."""

import hashlib


def derive_seed(seed: int, *part: int | str) -> int:
    """Return a 63-bit seed for a named part of something that has a seed.

    Example:
        >>> derive_seed(7, "layer", 0) == derive_seed(7, "layer", 0) != derive_seed(7, "layer", 1)
        True
    """
    text = "/".join(str(p) for p in (seed, *part))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
