"""Batches that are larger than what there is to learn from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from analogff.data import DataChoice
from analogff.study.case import Case

if TYPE_CHECKING:
    from analogff.study.read.spec import Shape


def oversized(cases: Iterable[Case], shapes: Mapping[DataChoice, "Shape"]) -> Iterator[str]:
    """Yield a line for each rule whose batches hold more images than there are, so that its steps see all of them.

    Args:
        cases: The cases to be run.
        shapes: What is known of their data sets.
    """
    found = {}
    for case in cases:
        there, batch = shapes[case.settings.data].images, case.rule.options["batch"]
        if case.settings.train_images is not None:
            there = min(there, case.settings.train_images)
        if batch > there:
            found[case.shown.label or case.shown.name, batch, there] = None
    for name, batch, there in found:
        yield f"{name}: its batches of {batch} are larger than the {there} training images. Each step sees all of them."
