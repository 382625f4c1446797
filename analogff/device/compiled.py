"""How loops over numbers are compiled, for both sides of the door."""

import numba


def compiled(function):
    """Compile with a cache on disk where there is a place for one.

    numba's cache looks at a function's own file only: who edits one that another file calls should delete
    ``__pycache__`` beside it.
    """
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(nogil=True, error_model="numpy")(function)
