"""Tables of measured points."""

import numpy as np
import pandas as pd

from analogff.characterize.statistics import Interval


def points(x: np.ndarray, interval: Interval, series: list[str]) -> pd.DataFrame:
    """Return rows of a `Curve`, from intervals ``(chips, series, points)`` over ``x``: ``(points,)``."""
    frames = [
        pd.DataFrame({"chip": chip, "series": name, "x": x, "y": value, "low": low, "high": high})
        for chip in range(interval.value.shape[0])
        for name, value, low, high in zip(series, *(part[chip] for part in interval), strict=True)
    ]
    return pd.concat(frames, ignore_index=True)
