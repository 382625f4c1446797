"""Pulses on the cells of one chip of a bank, row by row in the cache; numbers round as in `effects.write`.

Each loop has one result and few operands, and reads both sides before it chooses: so a compiler vectorizes it.
"""

import numpy as np

from analogff.device.numerics.compiled import compiled
from hardware_models.kernels.cpu.intrinsics import bits_of, float_of
from hardware_models.kernels.cpu.maths import F32, I32, ONE, U32, ZERO
from hardware_models.kernels.cpu.philox import fill_normals, fill_uniforms, fill_words, whole_vectors

_SIGN = I32(-(2**31))
MOST_LOST = F32(1 - 1e-6)


@compiled
def asks(row):
    """Tell whether a row has anything but zeros."""
    found = I32(0)
    for j in range(row.shape[0]):
        found |= I32(row[j] != ZERO)
    return found != 0


@compiled
def which_ask(change):
    """Tell which chips are asked for anything, ``(chips, n_out, n_in)`` to ``(chips,)``."""
    found = np.zeros(change.shape[0], np.int64)
    for c in range(change.shape[0]):
        for r in range(change.shape[1]):
            if asks(change[c, r]):
                found[c] = 1
                break
    return found


@compiled
def round_changes(change, chip, step, unit, most, seeds, writes, stream, pulses, count):
    """Round the changes of a chip at random to whole pulses; nothing is drawn for a row that asks for nothing.

    Args:
        change: Wanted changes, ``(chips, n_out, n_in)``.
        chip: Which chip.
        step: Mean steps, and:
        unit: What they are in units of, ``(chips, 1, 1)``.
        most: Longest train.
        seeds: One a chip.
        writes: Numbers of the writes, one a chip.
        stream: Of the random numbers.
        pulses: Memory of the signed pulses, ``(n_out, n_in)``.
        count: Memory of their numbers, likewise.

    Returns:
        Whether there are any, and whether one is undefined.
    """
    rows, columns = pulses.shape
    full = whole_vectors(columns)
    words, u = np.empty((4, full // 4), U32), np.empty(full, F32)
    mean, first = step[chip, 0, 0] * unit[chip, 0, 0], writes[chip] * rows
    some, undefined = False, False
    for r in range(rows):
        row = change[chip, r]
        if asks(row):
            fill_words(seeds[chip], first + r, stream, words)
            fill_uniforms(words, u)
            _round_row(row, mean, most, u, pulses[r])
            undefined |= _count_row(pulses[r], count[r])
            some |= asks(pulses[r])
        else:
            pulses[r], count[r] = ZERO, ZERO
    return some, undefined


@compiled
def _round_row(change, step, most, u, pulses):
    for j in range(change.shape[0]):
        n = np.floor(abs(change[j]) / step + u[j])
        n = most if n > most else n
        # of the sign of the change, whatever that is
        pulses[j] = float_of(bits_of(n) | (bits_of(change[j]) & _SIGN))  # pyright: ignore[reportCallIssue]


@compiled
def _count_row(pulses, count):
    for j in range(count.shape[0]):
        count[j] = abs(pulses[j])
    undefined = I32(0)
    for j in range(count.shape[0]):
        undefined |= I32(count[j] != count[j])
    return undefined != 0


@compiled
def soft_share(chip, pulses, up, down, upper, lower, share):
    """Fill in the share of the way to the bound that one pulse leaves; see `effects.write.soft_bounds`."""
    for r in range(share.shape[0]):
        _soft_share(pulses[r], up[chip, r], down[chip, r], upper[chip, r], lower[chip, r], share[r])


@compiled
def _soft_share(pulses, up, down, upper, lower, share):
    for j in range(share.shape[0]):
        rise, fall, high, low = up[j], down[j], upper[j], lower[j]
        rising = pulses[j] > ZERO
        step = rise if rising else fall
        bound = high if rising else low
        left = ONE - step / abs(bound)
        share[j] = ZERO if left < ZERO else left


@compiled
def soft_row(w, pulses, upper, lower, share):
    """Turn the share that all pulses leave into the change, in place."""
    for j in range(share.shape[0]):
        high, low = upper[j], lower[j]
        bound = high if pulses[j] > ZERO else low
        share[j] = (bound - w[j]) * (ONE - share[j])


@compiled
def linear_loss(chip, pulses, up, down, fall_up, fall_down, lost):
    """Fill in minus the share of its size that a step loses by itself; see `effects.write.linear_step`."""
    for r in range(lost.shape[0]):
        _linear_loss(pulses[r], up[chip, r], down[chip, r], fall_up[chip, r], fall_down[chip, r], lost[r])


@compiled
def _linear_loss(pulses, up, down, fall_up, fall_down, lost):
    for j in range(lost.shape[0]):
        rise, fall, of_rise, of_fall = up[j], -down[j], fall_up[j], -fall_down[j]
        rising = pulses[j] > ZERO
        share = (rise if rising else fall) * (of_rise if rising else of_fall)
        lost[j] = -(MOST_LOST if share > MOST_LOST else share)


@compiled
def linear_row(w, pulses, up, down, fall_up, fall_down, lost, growth):
    """Turn what all pulses lose, ``expm1(n log1p(-lost))``, into the change, in place."""
    for j in range(growth.shape[0]):
        count, several = abs(pulses[j]), growth[j] / lost[j]  # minus over minus
        growth[j] = count if lost[j] == ZERO else several
    for j in range(growth.shape[0]):
        rise, fall, of_rise, of_fall = up[j], -down[j], fall_up[j], -fall_down[j]
        rising = pulses[j] > ZERO
        growth[j] *= (rise if rising else fall) * (ONE - (of_rise if rising else of_fall) * w[j])


@compiled
def land(chip, pulses, roots, lost, moved, w, ends, falls, spread, even, seeds, writes, stream):
    """Turn what the pulses of a chip leave of its steps into changes, add their noise, and clip to the bounds.

    Args:
        chip: Which chip of the bank.
        pulses: Signed pulses, ``(n_out, n_in)``; nothing is drawn for a row without any.
        roots: Square roots of their numbers, which are torch's, since it does not round them as a processor does.
        lost: Result of `linear_loss`; not looked at for soft bounds.
        moved: What the powers of `soft_share` or `linear_loss` are, changed in place.
        w: States, ``(chips, n_out, n_in)``, changed in place.
        ends: Steps up and down, lower and upper bounds, likewise.
        falls: Loss of steps up and down for a unit of state, likewise; none for soft bounds.
        spread: Of a step from pulse to pulse, relative, ``(chips, 1, 1)``.
        even: Whether that is of a step at zero, or of the step as it is.
        seeds: One a chip.
        writes: Numbers of the writes, one a chip.
        stream: Of the noise.
    """
    rows, columns = pulses.shape
    full = whole_vectors(columns)
    words, z = np.empty((4, full // 4), U32), np.empty(full, F32)
    first, c = writes[chip] * rows, spread[chip, 0, 0]
    for r in range(rows):
        n, change, now = pulses[r], moved[r], w[chip, r]
        up, down, low, high = ends[0][chip, r], ends[1][chip, r], ends[2][chip, r], ends[3][chip, r]
        if not asks(n):
            change[:] = ZERO
        else:
            if len(falls) == 0:
                soft_row(now, n, high, low, change)
            else:
                linear_row(now, n, up, down, falls[0][chip, r], falls[1][chip, r], lost[r], change)
            fill_words(seeds[chip], first + r, stream, words)
            fill_normals(words, z)
            if even:
                _scatter_evenly(change, n, roots[r], up, down, c, z)
            else:
                _scatter(change, roots[r], c, z)
        _clip(now, change, low, high)


@compiled
def _scatter(moved, roots, spread, z):
    for j in range(moved.shape[0]):
        moved[j] += spread * abs(moved[j]) / roots[j] * z[j]


@compiled
def _scatter_evenly(moved, pulses, roots, up, down, spread, z):
    for j in range(moved.shape[0]):
        rise, fall = up[j], down[j]
        step = rise if pulses[j] > ZERO else fall
        moved[j] += spread * step * roots[j] * z[j]


@compiled
def _clip(w, moved, lower, upper):
    for j in range(w.shape[0]):
        v, low, high = w[j] + moved[j], lower[j], upper[j]
        v = low if v < low else v
        w[j] = high if v > high else v
