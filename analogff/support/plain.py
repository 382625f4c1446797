"""Python's values as a study file has them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return a value with NumPy's numbers as Python's, tuples as lists and paths as texts, at any depth.

    Example:
        >>> plain({"layers": (np.int64(8),), "file": Path("a.csv")})
        {'layers': [8], 'file': 'a.csv'}
    """
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(part) for part in value]
    if isinstance(value, Path):
        return str(value)
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
