"""The random numbers of `reference`, fast on a CPU: single precision, vectorised, one pass.

There is no call into a mathematical library and no fast-math in the loops, so that the compiler turns them
into vector instructions that round like the scalar ones: a number does not depend on its place in a vector.
"""

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from hardware_models.kernels.reference import KEY_STEPS, MULTIPLIERS, ROUNDS

_U32, _U64, _I32, _F32 = np.uint32, np.uint64, np.int32, np.float32
_M0, _M1 = (_U64(m) for m in MULTIPLIERS)
_K0, _K1 = (_U32(k) for k in KEY_STEPS)
_SHIFT32, _SHIFT30, _ONE32 = _U64(32), _U32(30), _U32(1)
_ROOT_HALF = _I32(0x3F3504F3)  # bits of sqrt(1/2) in single precision
_HALF_EIGHTH = _U32(1 << 29)
_QUARTER_TURN = _F32(np.pi / 2 / 2**30)
_LOG2_HIGH, _LOG2_LOW = _F32(0.693359375), _F32(-2.12194440e-4)
# Polynomials of the Cephes library (Moshier, 1989): logf, sinf and cosf on the reduced ranges
_L0, _L1, _L2 = _F32(7.0376836292e-2), _F32(-1.1514610310e-1), _F32(1.1676998740e-1)
_L3, _L4, _L5 = _F32(-1.2420140846e-1), _F32(1.4249322787e-1), _F32(-1.6668057665e-1)
_L6, _L7, _L8 = _F32(2.0000714765e-1), _F32(-2.4999993993e-1), _F32(3.3333331174e-1)
_S0, _S1, _S2 = _F32(-1.9515295891e-4), _F32(8.3321608736e-3), _F32(-1.6666654611e-1)
_C0, _C1, _C2 = _F32(2.443315711809948e-5), _F32(-1.388731625493765e-3), _F32(4.166664568298827e-2)
_HALF, _ONE, _TWO = _F32(0.5), _F32(1), _F32(2)
_2_31, _2_32, _2_24 = _F32(2.0**-31), _F32(2.0**-32), _F32(2.0**-24)


def _compile(function):
    """Compile with a cache on disk where there is a place for one."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(nogil=True, error_model="numpy")(function)


@intrinsic
def _bits(typing_context, x):
    """Reinterpret a float32 as int32."""
    return types.int32(types.float32), lambda c, builder, s, args: builder.bitcast(
        args[0], c.get_value_type(types.int32)
    )


@intrinsic
def _float(typing_context, x):
    """Reinterpret an int32 as float32."""
    return types.float32(types.int32), lambda c, builder, s, args: builder.bitcast(
        args[0], c.get_value_type(types.float32)
    )


@_compile
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words at a counter; see `reference.philox`."""
    for _ in range(ROUNDS):
        p0, p1 = _U64(c0) * _M0, _U64(c2) * _M1
        c0, c2 = _U32(_U32(p1 >> _SHIFT32) ^ c1 ^ k0), _U32(_U32(p0 >> _SHIFT32) ^ c3 ^ k1)
        c1, c3 = _U32(p1), _U32(p0)
        k0, k1 = _U32(k0 + _K0), _U32(k1 + _K1)
    return c0, c1, c2, c3


@_compile
def _log(x):
    """Natural logarithm of a positive normal number."""
    bits = _bits(x)  # pyright: ignore[reportCallIssue]
    exponent = (bits - _ROOT_HALF) >> _I32(23)
    f = _float(_I32(bits - (exponent << _I32(23)))) - _ONE  # pyright: ignore[reportCallIssue]
    e, z = _F32(exponent), f * f
    p = ((((_L0 * f + _L1) * f + _L2) * f + _L3) * f + _L4) * f + _L5
    p = ((p * f + _L6) * f + _L7) * f + _L8
    return f + (p * f * z + _LOG2_LOW * e - _HALF * z) + _LOG2_HIGH * e


@_compile
def _box_muller(u, v):
    """Turn two words into two normals; see `reference`."""
    radius = np.sqrt(-_TWO * _log(_F32(_I32(u >> _ONE32)) * _2_31 + _2_32))
    quarter = _U32(v + _HALF_EIGHTH) >> _SHIFT30
    t = _F32(_I32(_U32(v - (quarter << _SHIFT30)))) * _QUARTER_TURN
    z = t * t
    sine = ((_S0 * z + _S1) * z + _S2) * z * t + t
    cosine = ((_C0 * z + _C1) * z + _C2) * z * z - _HALF * z + _ONE
    odd = (quarter & _U32(1)) != _U32(0)
    x, y = (sine, cosine) if odd else (cosine, sine)
    x = -x if (_U32(quarter + _ONE32) & _U32(2)) != _U32(0) else x
    y = -y if (quarter & _U32(2)) != _U32(0) else y
    return radius * x, radius * y


@_compile
def _fill_words(seed, row, stream, words):
    """Fill ``words``, ``(4, blocks)``, with those of one row."""
    k0, k1 = _U32(seed), _U32(_U64(seed) >> _SHIFT32)
    low, high, last = _U32(row), _U32(_U64(row) >> _SHIFT32), _U32(stream)
    for b in range(words.shape[1]):
        words[0, b], words[1, b], words[2, b], words[3, b] = philox(low, high, _U32(b), last, k0, k1)


@_compile
def _fill_normals(words, z):
    """Turn the words of a row into four normals a block."""
    for b in range(words.shape[1]):
        z[4 * b], z[4 * b + 1] = _box_muller(words[0, b], words[1, b])
        z[4 * b + 2], z[4 * b + 3] = _box_muller(words[2, b], words[3, b])


@_compile
def add_normal(y, sigma, seeds, first_row, stream):
    """Add normals times ``sigma``, ``(chips, rows, 1)`` or ``(chips, rows, columns)``, to ``y`` in place."""
    chips, rows, columns = y.shape
    blocks = (columns + 3) // 4
    words, z = np.empty((4, blocks), _U32), np.empty(4 * blocks, _F32)
    for c in range(chips):
        for r in range(rows):
            if sigma.shape[2] == 1 and sigma[c, r, 0] == 0:
                continue
            _fill_words(seeds[c], first_row[c] + r, stream, words)
            _fill_normals(words, z)
            if sigma.shape[2] == 1:
                s = sigma[c, r, 0]
                for j in range(columns):
                    y[c, r, j] += s * z[j]
            else:
                for j in range(columns):
                    y[c, r, j] += sigma[c, r, j] * z[j]


@_compile
def fill_uniform(y, seeds, first_row, stream):
    """Fill ``y`` with numbers in [0, 1)."""
    chips, rows, columns = y.shape
    words = np.empty((4, (columns + 3) // 4), _U32)
    for c in range(chips):
        for r in range(rows):
            _fill_words(seeds[c], first_row[c] + r, stream, words)
            for j in range(columns):
                y[c, r, j] = _F32(_I32(words[j % 4, j // 4] >> _U32(8))) * _2_24
