"""A study file, read: every mistake in it at once, or every case it stands for."""

import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from analogff.catalog import resolve_rule
from analogff.data import DataChoice, DataError, Dataset, ImageShape, fingerprint, look_at_dataset
from analogff.study.case import Case
from analogff.study.read.cases import Reader
from analogff.study.read.controls import COUNT, controls_of
from analogff.study.read.document import MAX_RUNS, Document, parse_settings, read_document, unusable
from analogff.study.read.events import too_few_unlabeled
from analogff.study.read.figure import misnamed, read_figure
from analogff.study.read.fit import Fit
from analogff.study.read.sweep import (
    Axes,
    PathError,
    assign,
    combinations,
    count_runs,
    first_point,
    read_axes,
    swept_over,
)
from analogff.study.read.trials import Tuning, plan_tuning
from analogff.study.read.tune import Tune, misuse, read_tune
from analogff.study.read.validation import Validator
from analogff.study.settings import Settings
from analogff.support.mistakes import Mistake, StudyError, in_clauses, shown
from analogff.support.process_state import PatchedError, guarded
from analogff.training.clock import WITHIN_STEP, clock_of

_TOGETHER = 1000  # points whose devices are tried side by side
_COUNTS = ("train_images", "validation_images")


@dataclasses.dataclass(frozen=True)
class Shape:
    """What is known of a data set before anything runs."""

    n_in: int
    """Input lines of an image."""
    image: ImageShape | None
    """How they are a picture; None for a table."""
    classes: int
    """Number of labels."""
    label_names: tuple[str, ...]
    """Original labels, from label 0 on."""
    images: int
    """Training images that are learned from when all are."""
    fingerprint: str
    """What tells its files from what they were before an edit."""


@dataclasses.dataclass(frozen=True)
class Study:
    """A study without mistakes."""

    name: str
    """What it is called."""
    folder: Path
    """Where its relative paths start."""
    document: Document
    """The file, with what the command line set."""
    axes: Axes
    """The swept paths with their values."""
    cases: tuple[Case, ...]
    """Every point for every rule, rule by rule; then the controls."""
    shapes: dict[DataChoice, Shape]
    """What is known of each data set, by how it is read."""
    tuning: Tuning | None = None
    """The choice of options that comes first; None if there is none to make."""


def read_study(path: Path, settings: Sequence[str] = ()) -> Study:
    """Read a study file.

    Args:
        path: The file.
        settings: ``path=value`` of the command line, which overrule the file.

    Raises:
        StudyError: With every mistake, before anything is run or written.
    """
    return resolve_study(read_document(path), path.resolve().parent, settings)


def resolve_study(document: Document, folder: Path, settings: Sequence[str] = ()) -> Study:
    """Resolve a study that is at hand as plain data.

    Args:
        document: As `read_document` returns it; it becomes part of the study.
        folder: Where its relative paths start.
        settings: As those of `read_study`.

    Raises:
        StudyError: As `read_study`.
    """
    validator = Validator(folder)
    mistakes = _apply(document, settings, validator) + list(unusable(document))
    if mistakes:
        raise StudyError(mistakes)
    axes, mistakes = read_axes(document, validator)
    tune, more = read_tune(document)
    mistakes += more + read_figure(document)
    reader = Reader(folder, validator)
    first, more = _read_first(document, axes, reader)
    mistakes += more
    if first is not None and tune is not None:
        mistakes += [_where_swept(mistake, axes) for mistake in misuse(tune, first)]
    if first is not None and "rule" in document and not reader.rule_tables(document)[1]:
        mistakes += _too_many(document, axes, first, validator)
    if mistakes:
        raise StudyError(mistakes)
    cases = _expand(document, axes, reader)
    mistakes = [_where_swept(mistake, axes) for mistake in (*_idle_head(cases, folder), *_idle_clocks(cases, folder))]
    shapes, more = _shapes(cases, axes, folder)
    mistakes += more + _misfits(cases, axes, shapes, folder)
    if mistakes:
        raise StudyError(mistakes)
    tuning = _plan_tuning(cases, axes, shapes, tune, folder) if tune else None
    if cases[0].settings.controls:
        cases += controls_of(cases, validator)
    if wrong := misnamed(document, cases, axes):
        raise StudyError(wrong)
    return Study(cases[0].settings.name, folder, document, axes, cases, shapes, tuning)


def _plan_tuning(
    cases: tuple[Case, ...], axes: Axes, shapes: dict[DataChoice, Shape], tune: Tune, folder: Path
) -> Tuning:
    """Plan the trials, and refuse those that do not fit."""
    wrong = [_where_swept(m, axes, case.values) for case in cases for m in misuse(tune, case.settings)]
    if wrong:
        raise StudyError(wrong)
    try:
        with guarded("a rule that is asked what can be tuned"):
            tuning = plan_tuning(cases, tune, folder)
    except PatchedError as error:
        raise StudyError([in_clauses("rule", str(error))]) from error
    trials = tuple(trial.case for search in tuning.searches for trial in search.trials)
    if wrong := _misfits(trials, axes, shapes, folder):
        raise StudyError(wrong)
    return tuning


def _apply(document: Document, settings: Sequence[str], validator: Validator) -> list[Mistake]:
    """Set what the command line overrules, in place; a setting that would change nothing is a mistake."""
    try:
        given = parse_settings(settings)
    except StudyError as error:
        return list(error.mistakes)
    mistakes: list[Mistake] = []
    for path, value in given.items():
        try:
            assign(document, path, value, validator)
        except PathError as error:
            mistakes.append(error.mistake)
    return mistakes or [m for path, value in given.items() if (m := swept_over(document, path, value, validator))]


def _read_first(document: Document, axes: Axes, reader: Reader) -> tuple[Settings | None, list[Mistake]]:
    """Read the first point with all its rules, for the mistakes that every point has."""
    point = first_point(document, axes, reader.validator)
    rules = range(max(1, len(reader.rule_tables(point)[0])))
    mistakes = [mistake for rule in rules for mistake in reader.case(point, rule, {})[1]]
    return reader.settings(point)[0], [_where_swept(mistake, axes) for mistake in dict.fromkeys(mistakes)]


def _too_many(document: Document, axes: Axes, first: Settings, validator: Validator) -> list[Mistake]:
    point = first_point(document, axes, validator)
    copies = len(first.chips) * len(first.seeds) * (1 + COUNT * first.controls)
    runs = count_runs(point, axes, copies, validator)
    if runs <= MAX_RUNS:
        return []
    sizes = " x ".join(f"{len(values)} {path}" for path, values in axes.items()) or "no sweep"
    got = f"{runs:,} ({sizes}, {len(first.chips)} chips, {len(first.seeds)} seeds, {len(point['rule'])} rules)"
    return [Mistake("sweep", f"at most {MAX_RUNS:,} runs", got, "Sweep fewer values, or split the study.")]


def _expand(document: Document, axes: Axes, reader: Reader) -> tuple[Case, ...]:
    cases, mistakes = [], {}
    for rule in range(len(first_point(document, axes, reader.validator)["rule"])):
        points = combinations(document, axes, rule, reader.validator)
        while some := list(itertools.islice(points, _TOGETHER)):
            reader.try_devices(point for _, point in some)
            for values, point in some:
                case, wrong = reader.case(point, rule, values)
                for mistake in wrong:
                    mistakes.setdefault(mistake, _where_swept(mistake, axes, values))
                if case:
                    cases.append(case)
    if mistakes:
        raise StudyError(list(mistakes.values()))
    return tuple(cases)


def _idle_head(cases: tuple[Case, ...], folder: Path) -> Iterator[Mistake]:
    """Yield the mistake of a head that is a device where no rule has a use for one."""
    of_device = [case.rule for case in cases if case.settings.head == "device"]
    rules = [(resolve_rule(rule.name, folder), rule.options) for rule in of_device]
    if rules and not any(rule.uses_head(rule.Options(**options)) for rule, options in rules):
        expected = '"digital" beside rules that have no use for a head'
        yield Mistake("head", expected, '"device"', "Leave it out, or add a rule that reads its head.")


def _idle_clocks(cases: tuple[Case, ...], folder: Path) -> Iterator[Mistake]:
    """Yield the mistakes of clocks that no rule tells from a coarser one."""
    for clock in WITHIN_STEP:
        own = [case for case in cases if case.settings.clock == clock]
        rules = {id(one.rule): one.rule for case in own for one in (case, *case.later)}.values()
        found = [(resolve_rule(rule.name, folder), rule.options) for rule in rules]
        known = {clock_of(rule, rule.Options(**options), clock) for rule, options in found}
        if known and clock not in known:
            finest = "pass" if "pass" in known else "step"
            why = {"pass": "passes that cannot alternate from image to image", "step": "passes of one kind"}[finest]
            yield Mistake("clock", f'"{finest}" beside rules with {why}', f'"{clock}"', f'Write clock = "{finest}".')


def _where_swept(mistake: Mistake, axes: Axes, values: dict[str, Any] | None = None) -> Mistake:
    """Name the axis, where the mistake lies in one of its values; else the first point that has it."""
    for path in axes:
        if _plain(mistake.path) == _plain(path) or _plain(mistake.path).startswith(f"{_plain(path)}."):
            return dataclasses.replace(mistake, path=f"sweep.{path}")
    at = ", ".join(f"{path} = {shown(value)}" for path, value in (values or {}).items() if value is not None)
    return dataclasses.replace(mistake, got=f"{mistake.got} (where {at})") if at else mistake


def _plain(path: str) -> str:
    return re.sub(r"\.\d+(?=\.|$)", "", path)


def _shapes(cases: tuple[Case, ...], axes: Axes, folder: Path) -> tuple[dict[DataChoice, Shape], list[Mistake]]:
    """Look at every data set as it will be used, so that too many images and shifts too far are told now."""
    shapes, unlabeled, mistakes = {}, {}, []
    for source, train, held_out in dict.fromkeys(map(_images_of, cases)):
        try:
            data, more = _look_at(source, train, held_out, folder)
            mistakes += more
            state = fingerprint(source.name, folder)
            unlabeled[source, train, held_out] = 0 if data.unlabeled is None else len(data.unlabeled)
            shapes[source] = Shape(data.n_in, data.image, data.classes, data.label_names, len(data.train.labels), state)
        except DataError as error:
            mistakes.append(in_clauses(error.field, str(error)))
    for source, augmentation in dict.fromkeys((c.settings.data, c.settings.augmentation) for c in cases):
        try:
            if source in shapes:
                augmentation.check(shapes[source].image)
        except DataError as error:
            mistakes.append(in_clauses(error.field, str(error)))
    if not mistakes:
        mistakes = [m for case in cases for m in too_few_unlabeled(case.steps, unlabeled[_images_of(case)])]
    return shapes, [_where_swept(mistake, axes) for mistake in dict.fromkeys(mistakes)]


def _look_at(
    source: DataChoice, train: int | None, held_out: int | None, folder: Path
) -> tuple[Dataset, list[Mistake]]:
    """Return a data set and what is wrong with the numbers of images: its images have a shape all the same."""
    try:
        return look_at_dataset(source, train, held_out, folder), []
    except DataError as error:
        if error.field not in _COUNTS:
            raise
        return look_at_dataset(source, None, 0, folder), [in_clauses(error.field, str(error))]


def _images_of(case: Case) -> tuple[DataChoice, int | None, int | None]:
    """Return what decides which images a case has."""
    return case.settings.data, case.settings.train_images, case.settings.validation_images


def _misfits(cases: tuple[Case, ...], axes: Axes, shapes: dict[DataChoice, Shape], folder: Path) -> list[Mistake]:
    """Return the layers and images that a rule cannot be wired to, or that devices do not fit."""
    mistakes: dict[Mistake, Mistake] = {}
    fit = Fit(folder)
    try:
        with guarded("a rule or device that is asked whether it fits"):
            for case in cases:
                if case.settings.data not in shapes:
                    continue
                shape = shapes[case.settings.data]
                for now in [case, *case.later]:
                    for mistake in fit.misfits(now, shape.n_in, shape.classes, shape.image):
                        mistakes.setdefault(mistake, _where_swept(mistake, axes, case.values))
    except PatchedError as error:
        return [in_clauses("rule", str(error))]
    return list(mistakes.values())
