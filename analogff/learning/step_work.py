"""Closed formulas of the digital work of a step and of the memory it takes, which rules compose what they declare of.

They hold for the defaults of a study: length normalization and a digital head. A layer is its inputs and outputs.
"""

from collections.abc import Sequence
from typing import Protocol

from analogff.slopes.response_curves import slopes_work
from analogff.system import WORD_BYTES, Work, work

Shape = tuple[int, int]


class _Decaying(Protocol):
    @property
    def update_decay(self) -> float: ...


def passing(shapes: Sequence[Shape], vectors: int) -> Work:
    """Return the work of sending vectors through layers: normalization of the inputs of each."""
    carried = [shapes[0][0], *(n_out for _, n_out in shapes[:-1])]
    return work.total(work.normalization(vectors, n) for n in carried)


def passing_shared(shapes: Sequence[Shape], batch: int, variants: int, marks: int) -> Work:
    """As `passing`, for variants of each input that differ in their first ``marks`` lines."""
    first = work.elementwise(variants * batch * marks, operations=1, operands=1)
    later = work.total(work.normalization(variants * batch, n_out) for _, n_out in shapes[:-1])
    return work.normalization(batch, shapes[0][0]) + first + later


def descent(options: _Decaying, shape: Shape, vectors: int) -> Work:
    """Return the work of one step down a sum of outer products."""
    return work.outer(vectors, *shape) + adam(options, shape)


def adam(options: _Decaying, shape: Shape) -> Work:
    """Return the work of the optimizer of a layer."""
    return work.adam(shape[0] * shape[1], decay=bool(options.update_decay))


def delta_head(options: _Decaying, shape: Shape, vectors: int) -> Work:
    """Return the work of a head that takes a step down its own error."""
    return work.softmax_error(vectors, shape[1]) + descent(options, shape, vectors)


def reading(slope: str, activity: str, vectors: int, n: int) -> Work:
    """Return the work of knowing the slopes of a layer; that of `fitted` where its curves are trusted."""
    if slope == "probed":
        return work.difference(vectors * n).times(2 if activity == "mean" else 1)
    if slope == "cosine":
        return work.elementwise(vectors * n, operations=1, operands=1)
    return slopes_work(vectors, n) if slope == "fitted" else Work()


def registers(options: _Decaying, shapes: Sequence[Shape]) -> int:
    """Return the bytes of the optimizers' state."""
    return sum(work.adam_bytes(n_in * n_out, decay=bool(options.update_decay)) for n_in, n_out in shapes)


def weights(shapes: Sequence[Shape]) -> int:
    """Return the bytes of one number a weight."""
    return WORD_BYTES * sum(n_in * n_out for n_in, n_out in shapes)


def activities(shape: Shape, vectors: int) -> int:
    """Return the bytes of a layer's inputs, activities and slopes or errors."""
    return WORD_BYTES * vectors * (shape[0] + 2 * shape[1])
