"""Intrinsics of compiled loops that Python lacks."""

from numba.core import types
from numba.extending import intrinsic


@intrinsic
def bits_of(typing_context, x):
    """Reinterpret a float32 as int32."""
    return types.int32(types.float32), lambda c, builder, s, args: builder.bitcast(
        args[0], c.get_value_type(types.int32)
    )


@intrinsic
def float_of(typing_context, x):
    """Reinterpret an int32 as float32."""
    return types.float32(types.int32), lambda c, builder, s, args: builder.bitcast(
        args[0], c.get_value_type(types.float32)
    )


@intrinsic
def fma(typing_context, x, y, z):
    """Return ``x y + z``, rounded once on every machine: in hardware, or by a slower call."""
    single = types.float32
    return single(single, single, single), lambda c, builder, s, args: builder.fma(*args)
