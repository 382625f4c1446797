"""Transcendental functions in single precision, written so that a compiler vectorizes them.

The loops use no mathematical library and no fast-math, so vector instructions round like scalar ones. A number does not
depend on its position in a vector.

Polynomials of the Cephes library (Moshier, 1989): logf, expf, sinf and cosf on their reduced ranges.
"""

import numpy as np

from analogff.device.numerics.compiled import compiled
from hardware_models.kernels.cpu.intrinsics import bits_of, float_of, fma

U32, U64, I32, F32 = np.uint32, np.uint64, np.int32, np.float32
ROOT_HALF = I32(0x3F3504F3)  # bits of sqrt(1/2) in single precision
_LOG2_HIGH, _LOG2_LOW = F32(0.693359375), F32(-2.12194440e-4)
_L0, _L1, _L2 = F32(7.0376836292e-2), F32(-1.1514610310e-1), F32(1.1676998740e-1)
_L3, _L4, _L5 = F32(-1.2420140846e-1), F32(1.4249322787e-1), F32(-1.6668057665e-1)
_L6, _L7, _L8 = F32(2.0000714765e-1), F32(-2.4999993993e-1), F32(3.3333331174e-1)
_E0, _E1, _E2 = F32(1.9875691500e-4), F32(1.3981999507e-3), F32(8.3334519073e-3)
_E3, _E4, _E5 = F32(4.1665795894e-2), F32(1.6666665459e-1), F32(5.0000001201e-1)
_S0, _S1, _S2 = F32(-1.9515295891e-4), F32(8.3321608736e-3), F32(-1.6666654611e-1)
_C0, _C1, _C2 = F32(2.443315711809948e-5), F32(-1.388731625493765e-3), F32(4.166664568298827e-2)
_LOG2_E = F32(1.44269504088896341)
_EXP_LOW, _EXP_HIGH = F32(-87.0), F32(88.0)
_TO_WHOLE = F32(12582912.0)  # 1.5 * 2^23: adding it rounds to whole numbers
_PI_HIGH, _PI_MIDDLE, _PI_LOW = F32(3.140625), F32(9.67502593994140625e-4), F32(1.509957990978376432e-7)
_ONE_PI = F32(1 / np.pi)
_HALF, ONE, TWO, ZERO = F32(0.5), F32(1), F32(2), F32(0)


@compiled
def log(x):
    """Natural logarithm of a positive normal number."""
    bits = bits_of(x)  # pyright: ignore[reportCallIssue]
    exponent = (bits - ROOT_HALF) >> I32(23)
    f = float_of(I32(bits - (exponent << I32(23)))) - ONE  # pyright: ignore[reportCallIssue]
    e, z = F32(exponent), f * f
    p = fma(fma(fma(fma(fma(_L0, f, _L1), f, _L2), f, _L3), f, _L4), f, _L5)  # pyright: ignore[reportCallIssue]
    p = fma(fma(fma(p, f, _L6), f, _L7), f, _L8)  # pyright: ignore[reportCallIssue]
    tail = fma(-_HALF, z, fma(_LOG2_LOW, e, p * f * z))  # pyright: ignore[reportCallIssue]
    return fma(_LOG2_HIGH, e, f + tail)  # pyright: ignore[reportCallIssue]


@compiled
def exp(x):
    """Exponential with its argument clipped to -87 to 88; NaN gives some number."""
    x = x if x > _EXP_LOW else _EXP_LOW  # NaN too, so that it has a whole number
    x = x if x < _EXP_HIGH else _EXP_HIGH
    n = (x * _LOG2_E + _TO_WHOLE) - _TO_WHOLE
    r = fma(n, -_LOG2_LOW, fma(n, -_LOG2_HIGH, x))  # pyright: ignore[reportCallIssue]
    p = fma(fma(fma(fma(fma(_E0, r, _E1), r, _E2), r, _E3), r, _E4), r, _E5)  # pyright: ignore[reportCallIssue]
    y = fma(p, r * r, r) + ONE  # pyright: ignore[reportCallIssue]
    return y * float_of(I32((I32(n) + I32(127)) << I32(23)))  # pyright: ignore[reportCallIssue]


@compiled
def sine_squared(x):
    """``sin(x)^2``, in single precision up to a thousand turns."""
    n = (x * _ONE_PI + _TO_WHOLE) - _TO_WHOLE
    r = fma(n, -_PI_LOW, fma(n, -_PI_MIDDLE, fma(n, -_PI_HIGH, x)))  # pyright: ignore[reportCallIssue]
    half = r * _HALF  # within a quarter turn: sin r = 2 sin(r/2) cos(r/2)
    sine, cosine = sine_cosine(half)
    s = TWO * sine * cosine
    return s * s


@compiled
def sine_cosine(t):
    """Sine and cosine of an angle within an eighth turn of 0."""
    z = t * t
    sine = fma(fma(fma(_S0, z, _S1), z, _S2), z * t, t)  # pyright: ignore[reportCallIssue]
    cosine = fma(fma(fma(fma(_C0, z, _C1), z, _C2), z, -_HALF), z, ONE)  # pyright: ignore[reportCallIssue]
    return sine, cosine
