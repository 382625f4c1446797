"""Trained chips on disk, complete or absent, each file with all that is needed to use them again."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analogff.study.case import Case, DeviceChoice, RuleChoice
from analogff.study.results.columns import RESULTS
from analogff.study.results.parts import StoreError, part_name
from analogff.study.settings import Settings
from analogff.study.task import Run, Task
from analogff.support.messages import in_words
from analogff.support.mistakes import in_clauses
from analogff.training.checkpoint import load, save, state_of

if TYPE_CHECKING:
    from analogff.study.run.life import Life

FOLDER = "chips"
"""Subfolder of the results with a file for each task whose chips are kept."""


class NoChips(StoreError):
    """A folder holds no trained chips."""


def keep_chips(life: "Life") -> None:
    """Write the chips of a task as they are at the end of their life.

    Raises:
        StoreError: If there is no folder for them, or it cannot be written.
    """
    task = life.task
    try:
        folder = Path(task.kept).parent / FOLDER
        folder.mkdir(exist_ok=True)
        described = {"task": json.dumps(_described(task)), "seeds": list(life.seeds), "waited": life.waited.tolist()}
        state = state_of(life.rule, life.chips, life.progress) | {"requested": []}  # a register serves copies only
        save(described | {"run": state}, folder / f"{life.task.key}.pt")
    except OSError as error:
        raise StoreError(
            f"Expected to keep trained chips in {FOLDER} beside the results. Got {in_words(error)}. Write "
            "keep = false, or run where that folder can be written."
        ) from error


@dataclasses.dataclass(frozen=True)
class KeptChips:
    """Chips of one task, as kept."""

    task: Task
    """Their runs."""
    seeds: tuple[int, ...]
    """Seeds of the chips, which are not those of the runs if weights were copied."""
    waited: tuple[float, ...]
    """Seconds that each chip has waited."""
    state: dict[str, Any]
    """State of chips and rule; see `analogff.training.checkpoint`."""


def kept_chips(folder: Path) -> Iterator[KeptChips]:
    """Yield the kept chips of a folder of results, file by file, without controls.

    Raises:
        NoChips: If there are none.
        StoreError: If a file is damaged.
    """
    found = False
    files = sorted((folder / FOLDER).glob("*.pt"))
    files = [path for path in files if (folder / RESULTS / part_name(path.stem)).exists()]  # of finished tasks
    for path in files:
        try:
            held = load(path)
            described = json.loads(held["task"])
            if any(run.get("control") for run in described["runs"]):
                continue  # as 0.19 kept them, before they were found to be nobody's chips
            kept = KeptChips(_task(described), tuple(held["seeds"]), tuple(held["waited"]), held["run"])
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"Expected {path} as analogff wrote it. Got {_damage(error)}. Remove it and its results, and run "
                "the study again."
            ) from error
        found = True
        yield kept
    if not found:
        raise NoChips(
            f"Expected {folder} to hold trained chips. Got none. Write keep = true in the study, and run it again."
        )


def _damage(error: Exception) -> str:
    said = str(error)
    return in_clauses("", said).got if said.startswith("Expected ") else in_words(error)


def _described(task: Task) -> dict[str, Any]:
    runs = [
        {
            "key": run.key,
            "chip": run.chip,
            "seed": run.seed,
            "origin": dict(run.origin),
            "settings": run.case.settings.model_dump(mode="json", exclude={"event"}),
            "devices": [dataclasses.asdict(d) | {"per_chip": sorted(d.per_chip)} for d in run.case.devices],
            "rule": dataclasses.asdict(run.case.rule),
            "values": run.case.values,
        }
        for run in task.runs
    ]
    return {"runs": runs, "folder": task.folder}


def _task(described: dict[str, Any]) -> Task:
    return Task(tuple(map(_run, described["runs"])), described["folder"])


def _run(kept: dict[str, Any]) -> Run:
    devices = tuple(DeviceChoice(**d | {"per_chip": frozenset(d["per_chip"])}) for d in kept["devices"])
    case = Case(Settings.model_validate(_tuples(kept["settings"])), devices, _rule(kept["rule"]), kept["values"])
    return Run(kept["key"], case, kept["chip"], kept["seed"], kept["origin"])


def _rule(kept: dict[str, Any]) -> RuleChoice:
    return RuleChoice(**{**kept, "written": tuple(kept["written"])})


def _tuples(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"chips": list(settings["chips"]), "seeds": list(settings["seeds"])}
