"""How kernels are compiled, and what Python has no word for.

There is no call into a mathematical library and no fast-math in the loops, so that the compiler turns them
into vector instructions that round like the scalar ones: a number does not depend on its place in a vector.

numba's cache on disk looks at a function's own file only. Who edits one that another file calls should delete
``__pycache__`` beside it.
"""

import numba
from numba.core import types
from numba.extending import intrinsic


def compiled(function):
    """Compile with a cache on disk where there is a place for one."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(nogil=True, error_model="numpy")(function)


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
    """Return ``x y + z``, rounded once, on every machine: in hardware, or by a slower call where there is none."""
    single = types.float32
    return single(single, single, single), lambda c, builder, s, args: builder.fma(*args)
