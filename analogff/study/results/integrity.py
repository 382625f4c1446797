"""Integrity of the parts of a folder: each run and epoch once, and all tables of every task."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from analogff.study.results.columns import RESULTS
from analogff.study.results.parts import StoreError, damaged, parts_in, read_part
from analogff.study.task import Run

_SHOWN = 10  # limits the messages of a damaged disk


def runs_in(folder: Path, planned: Mapping[str, Run]) -> set[str]:
    """Return the keys of the runs in a folder of results.

    Args:
        folder: Folder of the study, with a subfolder for each table.
        planned: The runs of the study by key, whose epochs are known.

    Raises:
        StoreError: With all damage.
    """
    first: dict[str, Path] = {}
    wrong = []
    for part in parts_in(folder / RESULTS):
        try:
            table, beside = read_part(part)
            _check_beside(part, beside)
        except StoreError as error:
            wrong.append(str(error))
            continue
        for key, looks in _looks_in(table).items():
            got = _what_is_wrong(key, looks, planned.get(key), first.setdefault(key, part), part)
            if got:
                wrong.append(damaged(part, part, got))
                break
    if wrong:
        more = [f"And {len(wrong) - _SHOWN} more parts."] if len(wrong) > _SHOWN else []
        raise StoreError("\n".join(wrong[:_SHOWN] + more))
    return set(first)


def sibling(part: Path, kind: str) -> Path:
    """Return the part of another table of the same task.

    Raises:
        StoreError: If it is missing.
    """
    path = part.parent.parent / kind / part.name
    if not path.is_file():
        raise StoreError(damaged(path, part, "no such file, though its results are there"))
    return path


def _check_beside(part: Path, kinds: Sequence[str]) -> None:
    for kind in kinds:
        path = sibling(part, kind)
        try:
            read_part(path)
        except StoreError as error:
            raise StoreError(str(error).replace(f"Remove {path};", f"Remove {part};")) from error


Looks = list[tuple[int, str]]
"""Epochs of a run, each with the limit that ended the training there, or an empty text."""


def _looks_in(table: pa.Table) -> dict[str, Looks]:
    looks: dict[str, Looks] = {}
    rows = zip(*(table[name].to_pylist() for name in ("run", "epoch", "stopped_by")), strict=True)
    for key, epoch, stopped_by in rows:
        looks.setdefault(key, []).append((epoch, stopped_by or ""))
    return looks


def _what_is_wrong(key: str, looks: Looks, run: Run | None, first: Path, part: Path) -> str:
    if first != part:
        return f"run {key}, which {first.name} holds already"
    epochs = sorted(epoch for epoch, _ in looks)
    if run is None or epochs == (wanted := _wanted(run, looks)):
        return ""
    return f"epochs {epochs} of run {key}, not {wanted}"


def _wanted(run: Run, looks: Looks) -> list[int]:
    """Return the epochs after which a run is evaluated, up to the one in which a budget ended it."""
    settings = run.case.settings
    ended = min((epoch for epoch, limit in looks if limit), default=settings.epochs)
    last = ended if settings.budget else settings.epochs
    return [*range(settings.evaluate_every, last, settings.evaluate_every), last]
