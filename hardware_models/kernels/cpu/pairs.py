"""Pulses on the pairs of phase-change cells of one chip, pair of rows by pair of rows; see `memory_cells.pcm`.

Each loop over a row has one result and few operands, as in `kernels.cpu.pulsing`.
"""

import numpy as np

from analogff.device.numerics.compiled import compiled
from hardware_models.kernels.cpu.maths import F32, I32, ONE, U32, ZERO
from hardware_models.kernels.cpu.philox import fill_normals, fill_words, normal_at, whole_vectors
from hardware_models.kernels.cpu.pulsing import asks

_WORTH_A_ROW = 16  # of so many columns, the normals of one cost as much by themselves as those of all together


@compiled
def pulse_pairs(chip, pulses, roots, cells, shown, numbers, limits, again, seeds, writes, streams, rebuilt):
    """Grow the cells of pairs, and refresh those that run full; nothing is drawn for a row without pulses.

    Args:
        chip: Which chip of the bank.
        pulses: Signed pulses, ``(n_out, n_in)``.
        roots: Square roots of their numbers, at least 1.
        cells: Steps, greatest conductances, conductances as drifted and as programmed, ages and 1/f noise,
            ``(chips, 2 n_out, n_in)`` each; the last four are changed in place.
        shown: Weights and their variances, ``(chips, n_out, n_in)``; brought up to date.
        numbers: Spread of a step, error of programming, mean step, scale of a weight, ``(chips, 1, 1)`` each, and
            the factors on columns, ``(chips, n_out, 1)``.
        limits: Share of its range at which a cell is full, the coefficients of the error of programming, ascending, and
            the greatest conductance in their units.
        again: Whether a pulse starts the drift of a cell anew that drifts already.
        seeds: One a chip.
        writes: Numbers of the writes, one a chip.
        streams: Of the noise of pulses and of programming.
        rebuilt: Memory of the pulses that programmed pairs anew, ``(2 n_out, n_in)``; undefined without any.

    Returns:
        How many pairs were refreshed.
    """
    rows, columns = pulses.shape
    steps, bounds, drifted, programmed, age, flicker = cells
    full, first = whole_vectors(columns), writes[chip] * rows
    words, z, luck = np.empty((4, full // 4), U32), np.empty(full, F32), np.empty(columns, F32)
    grown, fresh, which = np.empty((2, columns), F32), np.empty((2, columns), F32), np.empty(columns, I32)
    refreshed = 0
    for r in range(rows):
        n, scale = pulses[r], numbers[3][chip, 0, 0] * numbers[4][chip, r, 0]
        _draw_luck(n, roots[r], numbers[0][chip, 0, 0], (seeds[chip], first + r, streams[0]), words, z, luck)
        for half in range(2):
            own, sign = r + half * rows, ONE if half == 0 else -ONE
            _grow(n, sign, steps[chip, own], luck, drifted[chip, own], bounds[chip, own], grown[half])
            _start(n, sign, drifted[chip, own], again, fresh[half])
        many = _find_full(grown, bounds[chip, r], bounds[chip, r + rows], n, limits[0], which)
        if many > 0:
            if refreshed == 0:
                rebuilt[:] = ZERO
            refreshed += many
            full_pairs = which[:many]
            _take_difference(grown, full_pairs)
            for half in range(2):
                own = r + half * rows
                place = seeds[chip], 2 * first + own, streams[1]
                _rebuild(full_pairs, grown[half], numbers[2][chip, 0, 0], rebuilt[own], fresh[half])
                _program(full_pairs, grown[half], bounds[chip, own], numbers[1][chip, 0, 0], limits, place, words, z)
        _land(chip, r, grown, fresh, (drifted, programmed, age, flicker), scale, shown)
    return refreshed


@compiled
def _land(chip, row, grown, fresh, cells, scale, shown):
    """Let a pair of rows be where it got to, and show its weights."""
    drifted, programmed, age, flicker = cells
    other = row + drifted.shape[1] // 2
    for half in range(2):
        own = row if half == 0 else other
        _put(grown[half], fresh[half], drifted[chip, own], programmed[chip, own])
        _keep(fresh[half], age[chip, own], flicker[chip, own])
    _show(grown[0], grown[1], scale, shown[0][chip, row])
    _show_noise(flicker[chip, row], flicker[chip, other], scale, shown[1][chip, row])


@compiled
def _draw_luck(pulses, roots, spread, place, words, z, luck):
    """Fill in by how much pulses do more or less than their mean; a row without pulses draws nothing."""
    if not asks(pulses):
        luck[:] = ONE
        return
    fill_words(place[0], place[1], place[2], words)
    fill_normals(words, z)
    for j in range(luck.shape[0]):
        luck[j] = ONE + spread / roots[j] * z[j]


@compiled
def _grow(pulses, sign, steps, luck, before, bounds, grown):
    """Fill in where cells of one sign get to."""
    for j in range(grown.shape[0]):
        n, most = sign * pulses[j], bounds[j]
        n = ZERO if n < ZERO else n
        g = before[j] + n * steps[j] * luck[j]
        g = most if g > most else g
        grown[j] = ZERO if g < ZERO else g


@compiled
def _start(pulses, sign, before, again, fresh):
    """Mark the cells that start to drift anew."""
    for j in range(fresh.shape[0]):
        n = sign * pulses[j]
        n = ZERO if n < ZERO else n
        n = ONE if n > ONE else n
        held = ONE if before[j] == ZERO else ZERO
        fresh[j] = n if again else n * held


@compiled
def _find_full(grown, bounds, others, pulses, share, which):
    """Fill in at which columns a pair was pulsed and has a cell that is nearly full; return how many there are."""
    one, other, many = grown[0], grown[1], I32(0)
    for j in range(which.shape[0]):
        full = I32(one[j] > share * bounds[j]) | I32(other[j] > share * others[j])
        which[j] = full & I32(pulses[j] != ZERO)
    for j in range(which.shape[0]):
        many += which[j]
    if many > 0:
        many = I32(0)
        for j in range(which.shape[0]):
            if which[j] != 0:
                which[many] = j
                many += I32(1)
    return many


@compiled
def _take_difference(pair, columns):
    """Empty the smaller cell of pairs, and leave their difference in the other one."""
    for j in columns:
        weight = pair[0, j] - pair[1, j]
        pair[0, j], pair[1, j] = max(weight, ZERO), max(-weight, ZERO)


@compiled
def _rebuild(columns, target, step, rebuilt, fresh):
    """Fill in the pulses that take emptied cells to where they are to be, and mark the cells as written anew."""
    for j in columns:
        rebuilt[j], fresh[j] = np.ceil(target[j] / step), ONE


@compiled
def _program(columns, cells, bounds, noise, limits, place, words, z):
    """Program cells of one row to where they are already; its normals are drawn together where that is cheaper."""
    seed, row, stream = place
    together = columns.shape[0] * _WORTH_A_ROW > cells.shape[0]
    if together:
        fill_words(seed, row, stream, words)
        fill_normals(words, z)
    for j in columns:
        drawn = z[j] if together else normal_at(seed, row, j, stream)
        landed = cells[j] + noise * _error(cells[j], limits) * drawn
        cells[j] = min(max(landed, ZERO), bounds[j])


@compiled
def _error(target, limits):
    """Return the error of programming a conductance; see `effects.write.programming_error`."""
    g = min(target, ONE)
    return max((limits[3] * g + limits[2]) * g + limits[1], ZERO) / limits[4]


@compiled
def _put(g, fresh, drifted, programmed):
    """Let cells be where they are, and have been programmed to there, or as large as they would have had to be."""
    for j in range(programmed.shape[0]):
        now, was = g[j], drifted[j]
        larger = programmed[j] * (now / was)
        larger = larger if was > ZERO else now
        programmed[j] = now if fresh[j] > ZERO else larger
    drifted[:] = g


@compiled
def _keep(fresh, age, flicker):
    """Let cells that start anew have no age and no noise."""
    for j in range(age.shape[0]):
        age[j] *= ONE - fresh[j]
    for j in range(flicker.shape[0]):
        flicker[j] *= ONE - fresh[j]


@compiled
def _show(plus, minus, scale, weights):
    for j in range(weights.shape[0]):
        weights[j] = scale * (plus[j] - minus[j])


@compiled
def _show_noise(plus, minus, scale, variance):
    square = scale * scale
    for j in range(variance.shape[0]):
        variance[j] = square * (plus[j] * plus[j] + minus[j] * minus[j])
