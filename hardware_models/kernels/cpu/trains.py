"""Pulse trains on cells whose step is linear in their state, compiled: only cells whose lines coincide are touched."""

import numpy as np

from analogff.device.numerics.compiled import compiled
from hardware_models.kernels.cpu.maths import F32, ONE, U32, ZERO
from hardware_models.kernels.cpu.philox import normal_at


@compiled
def coincide(row, column):
    """Return in how many slots two lines fire together."""
    both = U32(abs(row)) & U32(abs(column))
    both = both - ((both >> U32(1)) & U32(0x55555555))
    both = (both & U32(0x33333333)) + ((both >> U32(2)) & U32(0x33333333))
    both = (both + (both >> U32(4))) & U32(0x0F0F0F0F)
    return U32(both * U32(0x01010101)) >> U32(24)


@compiled
def geometric_sum(ratio, terms):
    """Return the sum of a geometric series that begins with 1."""
    total, term = ZERO, ONE
    for _ in range(terms):
        total += term
        term *= ratio
    return total


@compiled
def fire(w, rows, columns, up, down, fall_up, fall_down, upper, lower, cycle_spread, even, seed, write, stream):
    """Fire trains at one chip; see `hardware_models.effects.write.linear_step` for the law.

    Args:
        w: States, ``(n_out, n_in)``, changed in place.
        rows: When input lines fire, ``(vectors, n_in)``; see `Device.pulse_trains`.
        columns: The same of output lines.
        up: Step at zero, upwards; as all further cells ``(n_out, n_in)``.
        down: Step at zero, downwards.
        fall_up: Share of the up-step lost for a unit of state.
        fall_down: Share of the down-step lost for a unit of state downwards.
        upper: Upper bound.
        lower: Lower bound.
        cycle_spread: Spread from pulse to pulse, relative.
        even: Whether that is of a step at zero, or of the step as it is.
        seed: Of the chip.
        write: Number of the next write, which addresses the noise.
        stream: Of the noise.

    Returns:
        Pulses, and the number of the next write.
    """
    n_out, n_in = w.shape
    spent = 0
    for v in range(rows.shape[0]):
        before = spent
        for j in range(n_out):
            column = columns[v, j]
            if column == 0:
                continue
            for i in range(n_in):
                n = coincide(rows[v, i], column)
                if n == 0:
                    continue
                spent += n
                rising = (rows[v, i] < 0) == (column < 0)
                step, fall = (up[j, i], fall_up[j, i]) if rising else (-down[j, i], -fall_down[j, i])
                lost = min(step * fall, ONE)
                if lost > ZERO:
                    step = lost / fall
                moved = step * (ONE - fall * w[j, i]) * geometric_sum(ONE - lost, n)
                sigma = cycle_spread * (abs(step) * np.sqrt(F32(n)) if even else abs(moved) / np.sqrt(F32(n)))
                if sigma > ZERO:
                    moved += sigma * normal_at(seed, write * n_out + j, i, stream)
                w[j, i] = min(max(w[j, i] + moved, lower[j, i]), upper[j, i])
        write += spent > before
    return spent, write
