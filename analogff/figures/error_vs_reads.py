"""Test error against the reads of training, the common currency of rules."""

from collections.abc import Iterator

from analogff.figures.costs import against_cost
from analogff.figures.drawing import Drawing
from analogff.figures.results import Results


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point, with one point for each epoch."""
    yield from against_cost(results, "reads", "reads")
