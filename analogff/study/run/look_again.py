"""Evaluation of kept chips under other conditions, without training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analogff.device import products_in
from analogff.study import origin
from analogff.study.events import seconds_of
from analogff.study.read.document import parse_settings
from analogff.study.read.validation import Validator
from analogff.study.run.build import build, load_data
from analogff.study.run.kept import KeptChips, kept_chips
from analogff.study.run.life import Life
from analogff.study.task import Task, column_value
from analogff.support.mistakes import Mistake, StudyError, unknown_name
from analogff.training.checkpoint import restore

if TYPE_CHECKING:
    import pandas as pd


def look_again(folder: Path, settings: Sequence[str] = ()) -> "pd.DataFrame":
    """Evaluate the kept chips of a study under other conditions.

    The chips on disk stay as they are.

    Args:
        folder: Folder of its results.
        settings: ``path=value``: device parameters, and ``wait=SECONDS`` or ``wait=1 day``.

    Returns:
        One row for each run: the labels of its case, ``chip``, ``seed``, ``validation_error`` and ``test_error``.

    Raises:
        StoreError: If no chips are kept there, or a file is damaged.
        StudyError: If a setting has a mistake.
    """
    import pandas as pd

    given = parse_settings(settings)
    waiting = _waiting(given.pop("wait", 0.0))
    frames = [_evaluated(kept, given, waiting) for kept in kept_chips(folder)]
    return pd.concat(frames, ignore_index=True)


def awaken(kept: KeptChips) -> Life:
    """Make kept chips again, as they were."""
    settings, folder = kept.task.runs[0].case.settings, Path(kept.task.folder)
    found = origin.found(kept.task.runs[0].case, folder)
    data = load_data(settings, found[origin.name_of_data(settings.dataset)], kept.task.folder)
    rule, chips = build(kept.task, data, kept.seeds)
    progress = restore(kept.state, rule, chips)
    life = Life(kept.task, data, rule, chips, progress)
    life.seeds, life.waited = list(kept.seeds), np.array(kept.waited)
    return life


def _evaluated(kept: KeptChips, given: Mapping[str, Any], waiting: float) -> "pd.DataFrame":
    import pandas as pd

    life = awaken(kept)
    with products_in(life.task.runs[0].case.settings.precision):
        if given:
            life.change(_changes(kept.task, given))
        if waiting:
            life.wait(waiting)
        validation, test = life.errors()
    rows = [
        {name: column_value(value) for name, value in run.case.labels.items()}
        | {"run": run.key, "chip": run.chip, "chip_now": now, "seed": run.seed}
        for run, now in zip(kept.task.runs, kept.seeds, strict=True)
    ]
    return pd.DataFrame(rows).assign(validation_error=validation, test_error=test)


def _waiting(value: object) -> float:
    try:
        seconds = seconds_of(value)
        if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds >= 0:
            return float(seconds)
    except ValueError:
        pass
    raise StudyError([Mistake("wait", "seconds, or a text such as 1 day", str(value), 'Write --set wait="1 day".')])


def _changes(task: Task, given: Mapping[str, Any]) -> list[tuple[dict[str, Any], ...]]:
    """Return the parameters that change, of each run and layer."""
    validator, mistakes = Validator(Path(task.folder)), []
    changes = []
    for run in task.runs:
        own = []
        for layer, device in enumerate(run.case.devices):
            wanted, wrong = _wanted(given, layer, device.parameters)
            mistakes += wrong
            table = {"model": device.reference} | device.parameters | wanted
            read, wrong = validator.device({k: v for k, v in table.items() if v is not None}, "device")
            mistakes += wrong
            own.append({} if read is None else {name: read.choice.parameters[name] for name in wanted})
        changes.append(tuple(own))
    if mistakes:
        raise StudyError(mistakes)
    return changes


def _wanted(
    given: Mapping[str, Any], layer: int, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Mistake]]:
    wanted, mistakes = {}, []
    for path, value in given.items():
        head, *rest = path.split(".")
        if head != "device" or not 1 <= len(rest) <= 2 or (len(rest) == 2 and not rest[0].isdecimal()):
            advice = "Train anew for anything else."
            mistakes.append(Mistake(path, "device.PARAMETER, device.LAYER.PARAMETER or wait", path, advice))
        elif rest[-1] not in parameters:
            mistakes.append(unknown_name(path, "a parameter of the device", rest[-1], parameters))
        elif len(rest) == 1 or int(rest[0]) == layer:
            wanted[rest[-1]] = value
    return wanted, mistakes
