"""Random numbers addressed by position: `hardware_models.kernels.reference`, vectorised."""

import numpy as np

from analogff.device.compiled import compiled
from hardware_models.kernels.cpu.intrinsics import bits_of, float_of, fma
from hardware_models.kernels.cpu.maths import F32, I32, TWO, U32, U64, log, sine_cosine
from hardware_models.kernels.reference.noise import KEY_STEPS, MULTIPLIERS, ROUNDS

_M0, _M1 = (U64(m) for m in MULTIPLIERS)
_K0, _K1 = (U64(k) for k in KEY_STEPS)
_SHIFT32, _SHIFT30, _ONE32, _LOW = U64(32), U32(30), U32(1), U64(0xFFFFFFFF)
_SIGN = I32(-(2**31))
_HALF_EIGHTH = U32(1 << 29)
_QUARTER_TURN = F32(np.pi / 2 / 2**30)
_2_31, _2_32, _2_24 = F32(2.0**-31), F32(2.0**-32), F32(2.0**-24)


@compiled
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words at a counter; see `reference.philox`.

    Words are kept in 64 bits, of which the upper half may hold anything: it is neither multiplied nor returned.
    """
    for _ in range(ROUNDS):
        p0, p1 = (c0 & _LOW) * _M0, (c2 & _LOW) * _M1
        c0, c2 = (p1 >> _SHIFT32) ^ c1 ^ k0, (p0 >> _SHIFT32) ^ c3 ^ k1
        c1, c3 = p1, p0
        k0, k1 = (k0 + _K0) & _LOW, (k1 + _K1) & _LOW
    return U32(c0), U32(c1), U32(c2), U32(c3)


@compiled
def _box_muller(u, v):
    """Turn two words into two normals; see `reference`."""
    share = fma(F32(I32(u >> _ONE32)), _2_31, _2_32)  # pyright: ignore[reportCallIssue]
    radius = np.sqrt(-TWO * log(share))
    quarter = U32(v + _HALF_EIGHTH) >> _SHIFT30
    sine, cosine = sine_cosine(F32(I32(U32(v - (quarter << _SHIFT30)))) * _QUARTER_TURN)
    odd = (quarter & U32(1)) != U32(0)
    x, y = (sine, cosine) if odd else (cosine, sine)
    x_sign = I32(U32(quarter + _ONE32) << _SHIFT30) & _SIGN
    y_sign = I32(quarter << _SHIFT30) & _SIGN
    x = float_of(bits_of(x) ^ x_sign)  # pyright: ignore[reportCallIssue]
    y = float_of(bits_of(y) ^ y_sign)  # pyright: ignore[reportCallIssue]
    return radius * x, radius * y


@compiled
def fill_words(seed, row, stream, words):
    """Fill ``words``, ``(4, blocks)``, with those of one row."""
    k0, k1 = U64(seed) & _LOW, U64(seed) >> _SHIFT32
    low, high, last = U64(row) & _LOW, U64(row) >> _SHIFT32, U64(stream)
    for b in range(words.shape[1]):
        words[0, b], words[1, b], words[2, b], words[3, b] = philox(low, high, U64(b), last, k0, k1)


@compiled
def fill_normals(words, z):
    """Turn the words of a row into four normals a block."""
    for b in range(words.shape[1]):
        z[4 * b], z[4 * b + 1] = _box_muller(words[0, b], words[1, b])  # pyright: ignore[reportGeneralTypeIssues]
        z[4 * b + 2], z[4 * b + 3] = _box_muller(words[2, b], words[3, b])  # pyright: ignore[reportGeneralTypeIssues]


@compiled
def whole_vectors(columns):
    """Return the next number of columns that leaves no odd end, which would be worked on one by one."""
    return (columns + 63) // 64 * 64


@compiled
def add_normal(y, sigma, seeds, first_row, stream):
    """Add normals times ``sigma``, ``(chips, rows, 1)`` or ``(chips, rows, columns)``, to ``y`` in place."""
    chips, rows, columns = y.shape
    blocks = whole_vectors(columns) // 4
    words, z = np.empty((4, blocks), U32), np.empty(4 * blocks, F32)
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
def fill_uniform(y, seeds, first_row, stream):
    """Fill ``y`` with numbers in [0, 1)."""
    chips, rows, columns = y.shape
    words = np.empty((4, (columns + 3) // 4), U32)
    for c in range(chips):
        for r in range(rows):
            fill_words(seeds[c], first_row[c] + r, stream, words)
            for j in range(columns):
                y[c, r, j] = F32(I32(words[j % 4, j // 4] >> U32(8))) * _2_24
