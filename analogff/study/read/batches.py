"""Batches that are larger than what there is to learn from."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from analogff.catalog import resolve_rule
from analogff.data import DataChoice
from analogff.study.case import Case

if TYPE_CHECKING:
    from analogff.study.read.spec import Shape


def oversized(cases: Iterable[Case], shapes: Mapping[DataChoice, "Shape"], folder: Path) -> Iterator[str]:
    """Yield a line for each rule whose batches hold more images than there are, so that its steps see all of them.

    Args:
        cases: The cases to be run.
        shapes: What is known of their data sets.
        folder: The study file's folder.
    """
    found = {}
    for case in cases:
        settings, rule = case.settings, resolve_rule(case.rule.name, folder)
        there, batch = shapes[settings.data].images, rule.Options(**case.rule.options).batch
        if settings.train_images is not None:
            there = min(there, settings.train_images)
        if batch > there:
            found[case.shown.label or case.shown.name, batch, there] = None
    for name, batch, there in found:
        yield f"{name}: its batches of {batch} are larger than the {there} training images. Each step sees all of them."
