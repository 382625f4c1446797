"""The neuron curves of `hardware_models.effects.nonlinearity` on a tile."""

# A kernel is written in Python's words, but not to its types; and Triton need not be installed.
# pyright: reportIndexIssue=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportMissingImports=false

import triton
import triton.language as tl

from hardware_models.effects import nonlinearity

CODES = {
    curve: curve.__name__
    for curve in (
        nonlinearity.relu,
        nonlinearity.saturating,
        nonlinearity.softplus,
        nonlinearity.exponential,
        nonlinearity.sigmoid,
        nonlinearity.non_monotone,
    )
}
"""Codes of the curves for `bend`."""
_LOG_CLAMP = tl.constexpr(nonlinearity.LOG_CLAMP)


@triton.jit
def bend(a, s, CODE: tl.constexpr):
    """Return the outputs of neurons of steepness ``s``; NaN stays NaN, unlike with ``tl.maximum``."""
    if CODE == "relu":
        y = tl.where(a < 0, 0.0, a) * s
    elif CODE == "saturating":
        fall = tl.exp(tl.where(a < 0, 0.0, a) * s * -2.0)
        y = (1.0 - fall) / (1.0 + fall)
    elif CODE == "softplus":
        z = 2.0 * s * a
        y = (tl.log(1.0 + tl.exp(-tl.abs(z))) + tl.where(z < 0, 0.0, z)) / (2.0 * s)
    elif CODE == "exponential":
        z = s * (a - 1.0)
        y = tl.exp(tl.where(z > _LOG_CLAMP, _LOG_CLAMP, z))
    elif CODE == "sigmoid":
        y = 1.0 / (1.0 + tl.exp(-2.0 * s * (a - 1.0)))
    else:
        tl.static_assert(CODE == "non_monotone")
        sine = tl.sin(s * a)
        y = sine * sine
    return y
