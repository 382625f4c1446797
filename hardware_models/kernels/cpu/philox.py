"""Random numbers addressed by position: `hardware_models.kernels.reference`, vectorized."""

import numpy as np

from analogff.device.numerics.compiled import compiled
from hardware_models.kernels import polynomials
from hardware_models.kernels.cpu.intrinsics import bits_of, float_of, fma
from hardware_models.kernels.cpu.maths import F32, I32, ONE, ROOT_HALF, U32, U64
from hardware_models.kernels.reference.philox import KEY_STEPS, MULTIPLIERS, ROUNDS

_M0, _M1 = (U64(m) for m in MULTIPLIERS)
_K0, _K1 = (U64(k) for k in KEY_STEPS)
_SHIFT32, _ONE32, _LOW = U64(32), U32(1), U64(0xFFFFFFFF)
_HALF_TURN = F32(np.pi / 2**32)
_2_31, _2_32, _2_24 = F32(2.0**-31), F32(2.0**-32), F32(2.0**-24)
_LOG = F32(-2 * np.log(2))
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7 = map(F32, polynomials.LOG)
_S0, _S1, _S2, _S3, _S4 = map(F32, polynomials.SINE)
_C0, _C1, _C2, _C3, _C4 = map(F32, polynomials.COSINE)


@compiled
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words at a counter; see `reference.philox`.

    Words have 64 bits. The upper half is arbitrary: it is neither multiplied nor returned.
    """
    for _ in range(ROUNDS):
        p0, p1 = (c0 & _LOW) * _M0, (c2 & _LOW) * _M1
        c0, c2 = (p1 >> _SHIFT32) ^ c1 ^ k0, (p0 >> _SHIFT32) ^ c3 ^ k1
        c1, c3 = p1, p0
        k0, k1 = (k0 + _K0) & _LOW, (k1 + _K1) & _LOW
    return U32(c0), U32(c1), U32(c2), U32(c3)


@compiled
def _box_muller(u, v):
    """Convert two words to two normals, with an error of 2e-6; see `reference`.

    The square of the radius is ``-2 log`` of a number from 0 to 1. Sine and cosine come from half of the angle, which
    is within a quarter turn of 0, by the double-angle formulas. This needs no case for a quadrant.
    """
    bits = bits_of(fma(F32(I32(u >> _ONE32)), _2_31, _2_32))  # pyright: ignore[reportCallIssue]
    exponent = (bits - ROOT_HALF) >> I32(23)
    f = float_of(I32(bits - (exponent << I32(23)))) - ONE  # pyright: ignore[reportCallIssue]
    p = fma(fma(fma(fma(_L0, f, _L1), f, _L2), f, _L3), f, _L4)  # pyright: ignore[reportCallIssue]
    p = fma(fma(fma(p, f, _L5), f, _L6), f, _L7)  # pyright: ignore[reportCallIssue]
    radius = np.sqrt(fma(F32(exponent), _LOG, p * f))  # pyright: ignore[reportCallIssue]
    half = F32(I32(v)) * _HALF_TURN
    z = half * half
    p = fma(fma(fma(fma(_S0, z, _S1), z, _S2), z, _S3), z, _S4)  # pyright: ignore[reportCallIssue]
    sine, twice = p * half, p * (half + half)
    cosine = fma(fma(fma(fma(_C0, z, _C1), z, _C2), z, _C3), z, _C4)  # pyright: ignore[reportCallIssue]
    return radius * fma(-twice, sine, ONE), radius * (twice * cosine)  # pyright: ignore[reportCallIssue]


@compiled
def fill_words(seed, row, stream, words):
    """Fill ``words``, ``(4, blocks)``, with the words of one row."""
    k0, k1 = U64(seed) & _LOW, U64(seed) >> _SHIFT32
    low, high, last = U64(row) & _LOW, U64(row) >> _SHIFT32, U64(stream)
    for b in range(words.shape[1]):
        words[0, b], words[1, b], words[2, b], words[3, b] = philox(low, high, U64(b), last, k0, k1)


@compiled
def fill_normals(words, z):
    """Convert the words of a row to four normals for each block."""
    for b in range(words.shape[1]):
        z[4 * b], z[4 * b + 1] = _box_muller(words[0, b], words[1, b])  # pyright: ignore[reportGeneralTypeIssues]
        z[4 * b + 2], z[4 * b + 3] = _box_muller(words[2, b], words[3, b])  # pyright: ignore[reportGeneralTypeIssues]


@compiled
def fill_uniforms(words, u):
    """Convert the words of a row to four numbers in [0, 1) for each block."""
    for b in range(words.shape[1]):
        u[4 * b] = F32(I32(words[0, b] >> U32(8))) * _2_24
        u[4 * b + 1] = F32(I32(words[1, b] >> U32(8))) * _2_24
        u[4 * b + 2] = F32(I32(words[2, b] >> U32(8))) * _2_24
        u[4 * b + 3] = F32(I32(words[3, b] >> U32(8))) * _2_24


@compiled
def normal_at(seed, row, column, stream):
    """Return the normal of one place, as `fill_normal` fills it in."""
    k0, k1 = U64(seed) & _LOW, U64(seed) >> _SHIFT32
    words = philox(U64(row) & _LOW, U64(row) >> _SHIFT32, U64(column // 4), U64(stream), k0, k1)
    if column % 4 < 2:
        pair = _box_muller(words[0], words[1])
    else:
        pair = _box_muller(words[2], words[3])
    return pair[column % 2]


@compiled
def whole_vectors(columns):
    """Return the next number of columns without a remainder, which would not be vectorized."""
    return (columns + 63) // 64 * 64


@compiled
def add_normal(y, sigma, seeds, first_row, stream):
    """Add normals times ``sigma``, ``(chips, rows, 1)`` or ``(chips, rows, columns)``, to ``y`` in place."""
    chips, rows, columns = y.shape
    full = whole_vectors(columns)
    words, z = np.empty((4, full // 4), U32), np.empty(full, F32)
    for c in range(chips):
        for r in range(rows):
            if sigma.shape[2] == 1 and sigma[c, r, 0] == 0:
                continue
            fill_words(seeds[c], first_row[c] + r, stream, words)
            fill_normals(words, z)
            if sigma.shape[2] == 1:
                s = sigma[c, r, 0]
                for j in range(columns):
                    y[c, r, j] += s * z[j]
            else:
                for j in range(columns):
                    y[c, r, j] += sigma[c, r, j] * z[j]


@compiled
def fill_normal(y, seeds, first_row, stream):
    """Fill ``y``, ``(chips, rows, columns)``, with normals."""
    chips, rows, columns = y.shape
    full = whole_vectors(columns)
    words, z = np.empty((4, full // 4), U32), np.empty(full, F32)
    for c in range(chips):
        for r in range(rows):
            fill_words(seeds[c], first_row[c] + r, stream, words)
            fill_normals(words, z)
            out = y[c, r]
            for j in range(columns):
                out[j] = z[j]


@compiled
def fill_uniform(y, seeds, first_row, stream):
    """Fill ``y`` with numbers in [0, 1)."""
    chips, rows, columns = y.shape
    full = whole_vectors(columns)
    words, u = np.empty((4, full // 4), U32), np.empty(full, F32)
    for c in range(chips):
        for r in range(rows):
            fill_words(seeds[c], first_row[c] + r, stream, words)
            fill_uniforms(words, u)
            out = y[c, r]
            for j in range(columns):
                out[j] = u[j]
