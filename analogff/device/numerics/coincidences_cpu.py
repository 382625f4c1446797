"""Counting of coincidences, compiled."""

import numpy as np

from analogff.device.numerics.compiled import compiled


@compiled
def count(rows, columns, counts):
    """Fill ``counts``, ``(chips, n_out, n_in)``, with the slots in which both lines of a cell fire, with sign."""
    for chip in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            column = columns[chip, j]
            there, negative = np.uint32(abs(column)), column < 0
            if there == 0:
                counts[chip, j] = np.float32(0)
                continue
            for i in range(counts.shape[2]):
                row = rows[chip, i]
                both = there & np.uint32(abs(row))
                both = both - ((both >> np.uint32(1)) & np.uint32(0x55555555))
                both = (both & np.uint32(0x33333333)) + ((both >> np.uint32(2)) & np.uint32(0x33333333))
                both = (both + (both >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
                found = np.float32(np.uint32(both * np.uint32(0x01010101)) >> np.uint32(24))
                counts[chip, j, i] = -found if negative != (row < 0) else found
