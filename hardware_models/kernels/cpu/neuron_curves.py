"""The neuron curves of `hardware_models.effects.nonlinearity`, a row at a time, in place."""

from analogff.device.numerics.compiled import compiled
from hardware_models.effects import nonlinearity
from hardware_models.kernels.cpu.maths import F32, ONE, TWO, ZERO, exp, log, sine_squared

CODES = {
    nonlinearity.relu: 0,
    nonlinearity.saturating: 1,
    nonlinearity.softplus: 2,
    nonlinearity.exponential: 3,
    nonlinearity.sigmoid: 4,
    nonlinearity.non_monotone: 5,
}
"""Codes of the curves for `bend`."""
_LOG_CLAMP = F32(nonlinearity.LOG_CLAMP)
_LINEAR = F32(20)  # torch replaces softplus by its asymptote above this


@compiled
def bend(t, code, s):
    """Apply a curve of steepness ``s`` to a row; NaN stays NaN."""
    n = t.shape[0]
    if code == 0:
        for j in range(n):
            a = t[j]
            t[j] = ZERO * s if a < ZERO else a * s
    elif code == 1:
        for j in range(n):
            a = t[j]
            z = ZERO if a < ZERO else a * s
            e = exp(-TWO * z)
            t[j] = (ONE - e) / (ONE + e) if a == a else a
    elif code == 2:
        for j in range(n):
            z = TWO * s * t[j]
            y = log(ONE + exp(-abs(z))) + (z if z > ZERO else ZERO)
            t[j] = (y if z < _LINEAR else z) / (TWO * s) if z == z else z
    elif code == 3:
        for j in range(n):
            z = s * (t[j] - ONE)
            t[j] = exp(z if z < _LOG_CLAMP else _LOG_CLAMP) if z == z else z
    elif code == 4:
        for j in range(n):
            z = TWO * s * (t[j] - ONE)
            t[j] = ONE / (ONE + exp(-z)) if z == z else z
    else:
        for j in range(n):
            t[j] = sine_squared(s * t[j])
