"""Closed formulas of the digital work of a step and of the memory it takes, which rules compose what they declare of.

They hold for the defaults of a study: length normalization and a digital head. A layer is its inputs and outputs.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from analogff.device import Datasheet
from analogff.slopes.response_curves import slopes_work
from analogff.system import WORD_BYTES, Work, work

Shape = tuple[int, int]


class SharedShape(tuple[int, int]):
    """Inputs and outputs of a layer that has fewer weights than their product, since outputs share them."""

    cells: int
    """Its weights."""

    def __new__(cls, sheet: Datasheet):
        """Take the shape from a datasheet."""
        shape = super().__new__(cls, (sheet.n_in, sheet.n_out))
        shape.cells = math.prod(sheet.weight_shape)
        return shape


def shape_of(sheet: Datasheet) -> Shape:
    """Return the shape of a layer with a datasheet."""
    return (sheet.n_in, sheet.n_out) if sheet.windows is None else SharedShape(sheet)


def cells(shape: Shape) -> int:
    """Return the number of weights of a layer."""
    return shape.cells if isinstance(shape, SharedShape) else shape[0] * shape[1]


class Optimizing(Protocol):
    """Options of a rule that say how a gradient becomes a change."""

    @property
    def optimizer(self) -> str: ...  # noqa: D102
    @property
    def momentum(self) -> float: ...  # noqa: D102
    @property
    def update_decay(self) -> float: ...  # noqa: D102


def passing(shapes: Sequence[Shape], vectors: int) -> Work:
    """Return the work of sending vectors through layers: normalization of the inputs of each."""
    carried = [shapes[0][0], *(n_out for _, n_out in shapes[:-1])]
    return work.total(work.normalization(vectors, n) for n in carried)


def passing_shared(shapes: Sequence[Shape], batch: int, variants: int, marks: int) -> Work:
    """As `passing`, for variants of each input that differ in their first ``marks`` lines."""
    first = work.elementwise(variants * batch * marks, operations=1, operands=1)
    later = work.total(work.normalization(variants * batch, n_out) for _, n_out in shapes[:-1])
    return work.normalization(batch, shapes[0][0]) + first + later


def descent(options: Optimizing, shape: Shape, vectors: int) -> Work:
    """Return the work of one step down a sum of outer products."""
    return work.outer(vectors, *shape) + optimizer(options, shape)


def optimizer(options: Optimizing, shape: Shape) -> Work:
    """Return the work of the optimizer of a layer."""
    own, decay = cells(shape), bool(options.update_decay)
    if options.optimizer == "adam":
        return work.adam(own, decay=decay)
    return work.momentum(own, velocity=bool(options.momentum), decay=decay)


def delta_head(options: Optimizing, shape: Shape, vectors: int) -> Work:
    """Return the work of a head that takes a step down its own error."""
    return work.softmax_error(vectors, shape[1]) + descent(options, shape, vectors)


def reading(slope: str, activity: str, vectors: int, n: int) -> Work:
    """Return the work of knowing the slopes of a layer; that of `fitted` where its curves are trusted."""
    if slope == "probed":
        return work.difference(vectors * n).times(2 if activity == "mean" else 1)
    if slope == "cosine":
        return work.elementwise(vectors * n, operations=1, operands=1)
    return slopes_work(vectors, n) if slope == "fitted" else Work()


def registers(options: Optimizing, shapes: Sequence[Shape]) -> int:
    """Return the bytes of the optimizers' state."""
    kept = 2 if options.optimizer == "adam" else bool(options.momentum)
    return (kept + bool(options.update_decay)) * weights(shapes)


def weights(shapes: Sequence[Shape]) -> int:
    """Return the bytes of one number a weight."""
    return WORD_BYTES * sum(map(cells, shapes))


def activities(shape: Shape, vectors: int) -> int:
    """Return the bytes of a layer's inputs, activities and slopes or errors."""
    return WORD_BYTES * vectors * (shape[0] + 2 * shape[1])
