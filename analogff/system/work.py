"""Digital work: multiply-accumulates and bytes moved, by closed formulas."""

import math
from collections.abc import Iterable
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


def shared_outer(batch: int, variants: int, n_marked: int, n_in: int, n_out: int) -> Work:
    r"""Return the work of `outer` for inputs of which ``variants`` differ in their first ``n_marked`` lines only.

    .. math:: \sum_{vb} e_{vb} (m_{vb}, s_b)^T

    The errors of the variants are added before they meet the common lines.
    """
    errors = elementwise(batch * n_out, operations=variants, operands=variants)
    return total([errors, outer(batch, n_in, n_out), outer(variants * batch, n_marked, n_out)])


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


def normalization_backward(batch: int, n: int) -> Work:
    """Return the work of a normalization's derivative: two sums of products, a difference and a division a number."""
    return elementwise(batch * n, operations=4, operands=3)


def standardization(batch: int, n: int) -> Work:
    """Return the work of removing mean and spread: a sum, a difference, a sum of squares and a division a number."""
    return elementwise(batch * n, operations=4, operands=1)


def standardization_backward(batch: int, n: int) -> Work:
    """Return the work of its derivative: a sum, two sums of products, two differences and a division a number."""
    return elementwise(batch * n, operations=6, operands=3)


def softmax_error(batch: int, classes: int) -> Work:
    """Return the work of the cross-entropy's derivative: exponential, sum, division and difference."""
    return elementwise(batch * classes, operations=4, operands=1)


def cross_entropy(batch: int, classes: int) -> Work:
    """Return the work of the loss of each vector: exponential, sum, logarithm and difference."""
    return elementwise(batch * classes, operations=4, operands=1, results=0)


def hard_negatives(batch: int, classes: int) -> Work:
    """Return the work of drawing wrong labels from beliefs: exponential, sum, running sum, comparison and search."""
    return elementwise(batch * classes, operations=5, operands=1, results=0)


def difference(n: float) -> Work:
    """Return the work of a difference of two arrays times a factor, such as the slope that two reads show."""
    return elementwise(n, operations=2, operands=2)


def modulation(n: float) -> Work:
    """Return the work of the product of two arrays, such as errors and slopes."""
    return elementwise(n, operations=1, operands=2)


def dropout(n: float) -> Work:
    """Return the work of silencing lines: a random number and a product for each."""
    return elementwise(n, operations=2, operands=1)


def adam(weights: int, *, decay: bool = False) -> Work:
    """Return the work of one step of Adam: gradient and two registers in, registers and change out.

    The mean takes 2 operations, the mean square 3, the change 4 (root, sum, quotient, product). A decay of updates
    reads and writes a third register, with 2 operations.
    """
    return elementwise(weights, operations=9 + 2 * decay, operands=3 + decay, results=3 + decay)


def momentum(weights: int, *, velocity: bool, decay: bool = False) -> Work:
    """Return the work of one step of gradient descent with momentum: gradient in, change out.

    The change takes 1 operation. A velocity is read and written, with 2 operations, and so is a decay of updates.
    """
    registers = velocity + decay
    return elementwise(weights, operations=1 + 2 * registers, operands=1 + registers, results=1 + registers)


def adam_bytes(weights: int, *, decay: bool = False) -> int:
    """Return the bytes that Adam keeps from step to step: two registers, and that of the changes asked so far."""
    return WORD_BYTES * weights * (2 + decay)


def total(parts: Iterable[Work]) -> Work:
    """Return the sum of several."""
    parts = list(parts)
    return Work(math.fsum(p.macs for p in parts), math.fsum(p.moved_bytes for p in parts))
