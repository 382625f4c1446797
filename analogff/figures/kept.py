"""Kept chips of a study by its swept points, for figures that read them anew."""

import dataclasses
from collections.abc import Iterator

from analogff.figures.results import Missing, Results, points
from analogff.study.run.kept import NoChips, kept_chips
from analogff.study.run.life import Life
from analogff.study.run.look_again import awaken


@dataclasses.dataclass(frozen=True)
class Kept:
    """Chips of one task that belong to one variant and point."""

    life: Life
    """All chips of the task, as they were at the end of their life."""
    places: list[int]
    """Which of them are meant."""


def kept_by_point(results: Results, kind: str) -> Iterator[tuple[str, dict[str, list[Kept]]]]:
    """Yield the kept chips of each swept point by variant, with the point's name.

    Raises:
        Missing: If no chips were kept.
        StoreError: If one is damaged.
    """
    try:
        tasks = list(kept_chips(results.folder)) if results.folder else []
    except NoChips:
        tasks = []
    if not tasks:
        raise Missing(
            f"{kind}: Expected trained chips. Got none. Write keep = true in the study, and run it into another folder."
        )
    last = results.frame[results.frame["last"]]
    for point, rows in points(last, results.axes):
        variant_of = dict(zip(rows["run"], rows["variant"], strict=True))
        found: dict[str, list[Kept]] = {}
        for kept in tasks:
            keys = [run.key for run in kept.task.runs]
            there = [variant for variant in results.variants if variant in {variant_of.get(key) for key in keys}]
            life = awaken(kept) if there else None
            for variant in there:
                places = [n for n, key in enumerate(keys) if variant_of.get(key) == variant]
                if life is not None:
                    found.setdefault(variant, []).append(Kept(life, places))
        if found:
            yield point, {variant: found[variant] for variant in results.variants if variant in found}
