"""Correlation of noise: between successive reads, and between neighboring neurons."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Estimate, Found, NotMeasurableError
from analogff.characterize.statistics import jackknife

TITLE = "read-to-read correlation"
REPEATS = 1024
_BLOCKS = 32


def measure(bench: Bench) -> Found:
    r"""Repeat one read at the middle of the neurons' range.

    .. math:: r = \frac{\sum e_t e_{t+1}}{\sum e_t^2} + \frac{1 + r}{R}

    over all neurons; the last term corrects for the subtracted mean of the repeats.
    """
    survey = bench.survey
    if survey.by_bias:
        at = np.nan_to_num(survey.middle().at)
        y = bench.read(bias=np.repeat(at[:, None], REPEATS, axis=1))
    else:
        y = bench.read(np.repeat(bench.typical_inputs(1), REPEATS, axis=0))
    error = y - y.mean(1, keepdims=True)
    if not (error**2).sum((1, 2)).all():
        raise NotMeasurableError("repeats of a read do not differ")
    how = (
        f"{REPEATS} repeats of one read at half range, all neurons pooled; jackknife over {_BLOCKS} blocks of "
        "consecutive reads"
    )
    return Found(
        (
            Estimate(
                name="read-to-read correlation",
                **jackknife(_lagged, *_in_blocks(_products(error)))._asdict(),
                unit="",
                n=_BLOCKS,
                how=f"lag-1 autocorrelation of {how}",
            ),
            Estimate(
                name="noise correlation of neighbors",
                **jackknife(_adjacent, *_in_blocks([error]))._asdict(),
                unit="",
                n=_BLOCKS,
                how=f"correlation of the noise of adjacent outputs, {how}",
            ),
        )
    )


def _products(error: np.ndarray) -> list[np.ndarray]:
    """Return products with the next read, and squares, without the last read."""
    following = np.concatenate([error[:, 1:], np.zeros_like(error[:, :1])], axis=1)
    return [error * following, error**2]


def _lagged(products: np.ndarray, squares: np.ndarray) -> np.ndarray:
    r = products.sum((1, 2, 3)) / squares.sum((1, 2, 3))
    return r + (1 + r) / REPEATS


def _adjacent(error: np.ndarray) -> np.ndarray:
    """Correlate neighbors in ``(chips, reads, n_out, blocks)``."""
    scale = np.sqrt((error**2).sum((1, 3), keepdims=True))
    scaled = error / np.where(scale > 0, scale, 1.0)
    return (scaled[:, :, 1:] * scaled[:, :, :-1]).sum((1, 3)).mean(1)


def _in_blocks(parts: list[np.ndarray]) -> list[np.ndarray]:
    """``(chips, reads, n_out)`` to ``(chips, reads of a block, n_out, blocks)``."""
    return [y.reshape(y.shape[0], _BLOCKS, -1, y.shape[2]).transpose(0, 2, 3, 1) for y in parts]
