"""The parts of a read before and after the matrix product, each in one pass over the rows."""

import numpy as np

from analogff.device.numerics.compiled import compiled
from hardware_models.kernels.cpu.intrinsics import fma
from hardware_models.kernels.cpu.maths import F32, I32, U32
from hardware_models.kernels.cpu.neuron_curves import bend
from hardware_models.kernels.cpu.philox import fill_normals, fill_words, whole_vectors

_TO_WHOLE = F32(2.0**23)  # added to a number from 0 to 2^23 it rounds to whole numbers
_PLANE = F32(256)


@compiled
def grid(low, high, bits):
    """Return the step of a converter, and its reciprocal."""
    steps = F32(max((I32(1) << I32(bits)) - I32(1), I32(1)))
    return (high - low) / steps, steps / (high - low)


@compiled
def convert(x, q, low, high, bits):
    """Put signals through a converter; see `effects.quantize`.

    Args:
        x: ``(chips, rows, columns)``.
        q: Memory of the result, likewise.
        low: Least value, ``(chips, 1, 1)``, as are:
        high: Greatest value.
        bits: Resolution; 0 only clips.
    """
    for c in range(x.shape[0]):
        least, most, resolution = low[c, 0, 0], high[c, 0, 0], bits[c, 0, 0]
        step, density = grid(least, most, resolution)
        for r in range(x.shape[1]):
            convert_row(x[c, r], q[c, r], least, most, resolution, step, density)


@compiled
def convert_row(row, out, least, most, resolution, step, density):
    """Put one row through a converter; ``row`` may be longer than ``out``. Step and density are those of `grid`."""
    if resolution == 0:
        for i in range(out.shape[0]):
            v = least if row[i] < least else row[i]
            out[i] = most if v > most else v
        return
    for i in range(out.shape[0]):
        v = least if row[i] < least else row[i]
        code = (((most if v > most else v) - least) * density + _TO_WHOLE) - _TO_WHOLE
        out[i] = fma(code, step, least)  # pyright: ignore[reportCallIssue]


@compiled
def encode(x, q, least, most, bits, zero):
    """Put one chip's signals through a converter, and keep the codes; see `convert`.

    Args:
        x: ``(rows, columns)``.
        q: int8 codes less ``zero``.
        least: Least value.
        most: Greatest value.
        bits: Resolution, at least 1.
        zero: Offset subtracted from a code, so that it fits in a byte.

    Returns:
        For each row whether it had a NaN, which has no code.
    """
    density = grid(least, most, bits)[1]
    lost = np.zeros(x.shape[0], np.int32)
    for r in range(x.shape[0]):
        row, out, wrong = x[r], q[r], I32(0)
        for i in range(row.shape[0]):
            v = row[i] if row[i] > least else least
            code = (((most if v > most else v) - least) * density + _TO_WHOLE) - _TO_WHOLE
            out[i] = np.int8(I32(code) - zero)
            wrong |= I32(row[i] != row[i])
        lost[r] = wrong
    return lost


@compiled
def decode(sums, corrections, unit, lost, a):
    """Convert one chip's whole sums of codes to weighted sums.

    Args:
        sums: int32 ``(planes, rows, columns)``; a plane counts 256 times as much as the one before it.
        corrections: int32 ``(planes, columns)``, to be added for the offset of the codes.
        unit: Weighted sum of a whole 1.
        lost: Result of `encode`.
        a: Memory of the sums, ``(rows, columns)``.
    """
    for r in range(a.shape[0]):
        row = a[r]
        low, low_more = sums[0, r], corrections[0]
        if lost[r] != 0:
            row[:] = np.nan
        elif sums.shape[0] == 1:
            for j in range(row.shape[0]):
                row[j] = F32(low[j] + low_more[j]) * unit
        else:
            high, high_more = sums[1, r], corrections[1]
            for j in range(row.shape[0]):
                whole = fma(F32(high[j] + high_more[j]), _PLANE, F32(low[j] + low_more[j]))  # pyright: ignore
                row[j] = whole * unit


@compiled
def finish(a, y, sigma, code, gain, shift, steepness, noise, low, high, bits, seeds, reads, streams, rows):
    """Convert weighted sums to outputs: noise, gain, curve, noise, converter; see `reference.finish`.

    Args:
        a: Sums, ``(chips, rows, columns)``.
        y: Memory of the outputs, which may be that of the sums.
        sigma: Noise of the sums, ``(chips, rows, 1)`` or ``(chips, rows, columns)``, or without rows if there is none.
        code: Code of the curve.
        gain: ``(chips, 1, columns)``.
        shift: ``(chips, 1, columns)``.
        steepness: ``(chips, 1, 1)``, as are:
        noise: Noise of the outputs.
        low: Least output.
        high: Greatest output.
        bits: Resolution of the converter; 0 only clips.
        seeds: Chip seeds.
        reads: Number of the first row.
        streams: Streams of the noise of the sums and of the outputs.
        rows: First row, and the one after the last.
    """
    n = y.shape[2]
    full = whole_vectors(n)
    words, z, t = np.empty((4, full // 4), U32), np.empty(full, F32), np.zeros(full, F32)
    for c in range(y.shape[0]):
        g, o = gain[c, 0], shift[c, 0]
        least, most, resolution = low[c, 0, 0], high[c, 0, 0], bits[c, 0, 0]
        step, density = grid(least, most, resolution)
        spread_out = noise[c, 0, 0]
        for r in range(rows[0], rows[1]):
            sums, out = a[c, r], y[c, r]
            if sigma.shape[1] == 0 or (sigma.shape[2] == 1 and sigma[c, r, 0] == 0):
                for j in range(n):
                    t[j] = fma(sums[j], g[j], o[j])  # pyright: ignore[reportCallIssue]
            else:
                fill_words(seeds[c], reads[c] + r, streams[0], words)
                fill_normals(words, z)
                amplify_noisy(sums, sigma[c, r], z, g, o, t)
            bend(t, code, steepness[c, 0, 0])
            if spread_out != 0:
                fill_words(seeds[c], reads[c] + r, streams[1], words)
                fill_normals(words, z)
                for j in range(full):
                    t[j] = fma(spread_out, z[j], t[j])  # pyright: ignore[reportCallIssue]
            convert_row(t, out, least, most, resolution, step, density)


@compiled
def amplify_noisy(sums, sigma, z, gain, shift, t):
    """Amplify one row of sums with noise of their own, or of one size for all."""
    n = sums.shape[0]
    if sigma.shape[0] == 1:
        s = sigma[0]
        for j in range(n):
            t[j] = fma(fma(s, z[j], sums[j]), gain[j], shift[j])  # pyright: ignore[reportCallIssue]
    else:
        for j in range(n):
            t[j] = fma(fma(sigma[j], z[j], sums[j]), gain[j], shift[j])  # pyright: ignore[reportCallIssue]
