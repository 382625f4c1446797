"""What one rule does to the chips of a network: read, checked, and made by the engine of studies."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from analogff.catalog import resolve_rule
from analogff.data import DataError, Dataset, Split, fingerprint
from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.study.case import Case
from analogff.study.read.cases import Reader
from analogff.study.read.document import Document, unusable
from analogff.study.read.fit import Fit
from analogff.study.read.validation import Validator
from analogff.study.run.build import build, load_data
from analogff.study.run.compute import check_compute
from analogff.study.settings import Settings
from analogff.study.task import Run, Task
from analogff.support.mistakes import Mistake, StudyError, in_clauses
from analogff.support.process_state import standard
from analogff.training.progress import Progress

_UNNAMED = {"name": "network", "epochs": 1}


@dataclasses.dataclass
class Lesson:
    """Chips and the rule that teaches them."""

    task: Task
    """The runs, one a chip."""
    data: Dataset
    """Where the images are from."""
    rule: Rule
    """The rule."""
    chips: Chips
    """Its chips."""
    progress: Progress
    """Where the training stands."""

    @property
    def case(self) -> Case:
        """What all chips have in common."""
        return self.task.runs[0].case

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.case.rule.name


def read_settings(document: Document, folder: Path) -> Settings:
    """Read the devices of a network, and its plain fields.

    Args:
        document: As of a study without rules.
        folder: Base of relative paths.

    Raises:
        StudyError: With all mistakes.
    """
    document = _UNNAMED | document
    _refuse(list(unusable(document)))
    reader = _reader(folder)
    settings, mistakes = reader.settings(document)
    _refuse(mistakes + reader.devices(document, settings)[1])
    assert settings is not None
    return settings


def read_case(document: Document, folder: Path) -> Case:
    """Read a network together with the one rule that is to teach it, as a point of a study.

    Raises:
        StudyError: With all mistakes.
    """
    document = _UNNAMED | document
    _refuse(list(unusable(document)))
    case, mistakes = _reader(folder).case(document, 0, {})
    _refuse(mistakes)
    assert case is not None
    check_compute([case])
    _refuse(_of_one_chip(case, folder))
    return case


def load(case: Case, given: Dataset | None, n_in: int, classes: int, folder: Path) -> Dataset:
    """Return the images that a case learns from, once they fit the network.

    Args:
        case: The case.
        given: The images, if they are at hand; else they are loaded by name.
        n_in: Input lines of the network.
        classes: Its number of labels.
        folder: Base of relative paths.

    Raises:
        StudyError: If they cannot be read, or do not fit.
    """
    settings = case.settings
    try:
        data = given or load_data(settings, fingerprint(settings.dataset, folder), str(folder))
        settings.augmentation.check(data.image)
    except DataError as error:
        raise StudyError([in_clauses({"dataset": "data"}.get(error.field, error.field), str(error))]) from error
    wrong = []
    if data.n_in != n_in:
        got = f"{data.n_in} of {data.name}"
        wrong.append(Mistake("data", f"images of {n_in} numbers, one an input line", got, "Mend layers[0] or data."))
    if data.classes != classes:
        wrong.append(Mistake("data", f"{classes} labels", f"{data.classes} of {data.name}", "Mend classes or data."))
    _refuse(wrong or list(Fit(folder).misfits(case, n_in, classes, data.image)))
    return _moved(data, settings.compute)


def begin(case: Case, data: Dataset, folder: Path, before: Lesson | None) -> Lesson:
    """Make the chips and the rule of a lesson; after another lesson the same one goes on, or takes over its weights.

    Args:
        case: The network and the rule.
        data: The images.
        folder: Base of relative paths.
        before: The lesson before.

    Raises:
        StudyError: If the rule cannot begin with the weights as they are.
    """
    (seed,) = case.settings.seeds
    task = Task(tuple(Run(f"{chip}", case, chip, seed) for chip in case.settings.chips), str(folder))
    if before is None:
        return _made(task, data, Progress())
    past = before.progress.past_epochs + before.progress.epoch
    if before.case.rule == case.rule and before.task.runs[0].seed == seed:
        progress = Progress(past_epochs=past, device_seconds=before.progress.device_seconds)
        progress.images = before.progress.images
        return Lesson(task, data, before.rule, before.chips, progress)
    model = resolve_rule(case.rule.name, folder)
    options = model.Options(**case.rule.options)
    if model.programs(options):
        expected = "a rule that begins with the weights as they are, since this network was trained"
        got = f"{case.rule.name}, which programs them"
        raise StudyError([Mistake("rule", expected, got, "Fabricate another network for it.")])
    lesson, state = _made(task, data, Progress(past_epochs=past)), before.chips.devices.state_dict()
    _refuse(_wired_otherwise(lesson, state, before))
    lesson.chips.devices.load_state_dict(state)
    return lesson


def _made(task: Task, data: Dataset, progress: Progress) -> Lesson:
    with standard(str(task.runs[0]), int(task.key, 16)):
        rule, chips = build(task, data)
    return Lesson(task, data, rule, chips, progress)


def _reader(folder: Path) -> Reader:
    return Reader(folder, Validator(folder, fingerprints=False))


def _refuse(mistakes: list[Mistake]) -> None:
    if mistakes:
        raise StudyError([dataclasses.replace(m, path=_keyword(m.path)) for m in mistakes])


def _keyword(path: str) -> str:
    """Return a path of a study file as the keyword that it comes from."""
    renamed = {"device.model": "device", "rule.0.name": "rule", "dataset": "data", "rule.0": "rule"}
    return renamed.get(path) or path.removeprefix("rule.0.").removeprefix("device.")


def _of_one_chip(case: Case, folder: Path) -> list[Mistake]:
    """Return a mistake where several chips cannot be taught side by side."""
    if len(case.settings.chips) == 1:
        return []
    got, advice = str(len(case.settings.chips)), "Fabricate a network for each: chips=[0], then chips=[1]."
    rule, budget = resolve_rule(case.rule.name, folder), case.settings.budget
    if not rule.can_bank(rule.Options(**case.rule.options)):
        return [Mistake("chips", "1, since each is read as often as this rule decides for it", got, advice)]
    if budget and budget.of_each_chip:
        return [Mistake("chips", f"1, since each reaches {budget.of_each_chip[0]} at a step of its own", got, advice)]
    return []


def _wired_otherwise(lesson: Lesson, state: dict[str, Any], before: Lesson) -> list[Mistake]:
    now = {name: value.shape for name, value in lesson.chips.devices.state_dict().items()}
    if now == {name: value.shape for name, value in state.items()}:
        return []
    expected = f"a rule that wires the layers as {before.name} does, since this network was trained"
    return [Mistake("rule", expected, lesson.name, "Fabricate another network for it.")]


def _moved(data: Dataset, device: str) -> Dataset:
    def there(split: Split) -> Split:
        return Split(split.images.to(device), split.labels.to(device))

    if data.train.images.device == torch.device(device):
        return data
    return dataclasses.replace(data, train=there(data.train), validation=there(data.validation), test=there(data.test))
