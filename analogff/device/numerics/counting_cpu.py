"""Passes over the weights, compiled."""

import numpy as np

from analogff.device.numerics.compiled import compiled


@compiled
def count_changes(change):
    """Return how many numbers of each row, ``(chips, cells)``, are not zero; a NaN is not."""
    totals = np.zeros(change.shape[0], np.int64)
    for chip in range(change.shape[0]):
        for start in range(0, change.shape[1], 1 << 20):  # a short count, which is a faster one, cannot run over
            block, count = change[chip, start : start + (1 << 20)], np.int32(0)
            for i in range(block.shape[0]):
                count += np.int32(block[i] != np.float32(0))
            totals[chip] += count
    return totals
