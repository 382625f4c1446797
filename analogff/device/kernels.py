"""Passes over the weights, compiled."""

import numpy as np

from analogff.device.compiled import compiled


@compiled
def count_changes(change):
    """Return how many numbers are not zero; a NaN is not."""
    total = 0
    for start in range(0, change.shape[0], 1 << 20):
        block, count = change[start : start + (1 << 20)], np.int32(0)
        for i in range(block.shape[0]):
            count += np.int32(block[i] != np.float32(0))
        total += count
    return total
