"""Digital work: multiply-accumulates and bytes moved, by closed formulas."""

import math
from typing import NamedTuple

from typing_extensions import override

WORD_BYTES = 4
"""Of a number outside of the chips, in single precision."""


class Work(NamedTuple):
    """What digital logic does beside one chip.

    An elementary operation (an addition, a product, a root, an exponential) counts as one multiply-accumulate. Each
    operand of an operation is moved once from memory and each result once back, as if a cache held what is used twice
    within the operation: a lower bound of the traffic.
    """

    macs: float = 0.0
    """Multiply-accumulates."""
    moved_bytes: float = 0.0
    """Bytes between memory and logic, both ways."""

    @override
    def __add__(self, other: "Work") -> "Work":  # type: ignore[override] (work adds up; tuples would join)
        return Work(self.macs + other.macs, self.moved_bytes + other.moved_bytes)

    def times(self, n: float) -> "Work":
        """Return the work of doing it so often."""
        return Work(n * self.macs, n * self.moved_bytes)


def product(batch: int, n_in: int, n_out: int) -> Work:
    r"""Return the work of ``batch`` vectors through a matrix: ``b n m`` multiply-accumulates.

    Operands are the vectors and the matrix, results the sums.
    """
    return Work(batch * n_in * n_out, WORD_BYTES * (batch * (n_in + n_out) + n_in * n_out))


def outer(batch: int, n_in: int, n_out: int) -> Work:
    """Return the work of the sum of ``batch`` outer products; as many operations and bytes as a `product`."""
    return product(batch, n_in, n_out)


def elementwise(n: float, *, operations: int, operands: int, results: int = 1) -> Work:
    """Return the work of an operation on each of ``n`` numbers.

    Args:
        n: How many numbers.
        operations: Elementary operations for each.
        operands: Arrays of that size that are read.
        results: Arrays that are written.
    """
    return Work(operations * n, WORD_BYTES * n * (operands + results))


def normalization(batch: int, n: int) -> Work:
    """Return the work of normalizing vectors: a sum of squares and a division for each number."""
    return elementwise(batch * n, operations=2, operands=1)


def softmax_error(batch: int, classes: int) -> Work:
    """Return the work of the cross-entropy's derivative: exponential, sum, division and difference."""
    return elementwise(batch * classes, operations=4, operands=1)


def adam(weights: int, *, decay: bool = False) -> Work:
    """Return the work of one step of Adam: gradient and two registers in, registers and change out.

    The mean takes 2 operations, the mean square 3, the change 4 (root, sum, quotient, product). A decay of updates
    reads and writes a third register, with 2 operations.
    """
    return elementwise(weights, operations=9 + 2 * decay, operands=3 + decay, results=3 + decay)


def adam_bytes(weights: int, *, decay: bool = False) -> int:
    """Return the bytes that Adam keeps from step to step: two registers, and that of the changes asked so far."""
    return WORD_BYTES * weights * (2 + decay)


def total(parts: "list[Work]") -> Work:
    """Return the sum of several."""
    return Work(math.fsum(p.macs for p in parts), math.fsum(p.moved_bytes for p in parts))
