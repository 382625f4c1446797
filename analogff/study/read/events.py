"""The events of a study file: their tables, and what each means for a case."""

import copy
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from analogff.study.case import Step
from analogff.study.events import EVENTS, Compensate, Copy, Distil, Event, Repeat, Set, Train
from analogff.study.read.document import Document
from analogff.study.read.needs import AskedRule, TriedDevice, cuts_off, refusal
from analogff.study.read.sweep import PathError, assign
from analogff.study.read.validation import Validator
from analogff.study.settings import Settings
from analogff.support.mistakes import Mistake, from_pydantic, shown, unknown_name

MAX_STEPS = 100_000
"""Greatest number of events of a life, repeated ones counted each time."""


def read_events(listed: Any, path: str = "event") -> tuple[tuple[Event, ...], list[Mistake]]:
    """Read the ``[[event]]`` tables, and those within ``do = "repeat"``."""
    if not isinstance(listed, list):
        advice = 'Write [[event]] and do = "wait", one table for each event.'
        return (), [Mistake(path, "[[event]] tables", shown(listed), advice)]
    events, mistakes = [], []
    for n, table in enumerate(listed):
        event, wrong = _read_event(table, f"{path}.{n}")
        mistakes += wrong
        events += [event] if event else []
    return tuple(events), mistakes


def _read_event(table: Any, path: str) -> tuple[Event | None, list[Mistake]]:
    do = table.get("do") if isinstance(table, dict) else None
    if not isinstance(do, str):
        return None, [Mistake(f"{path}.do", f"one of {', '.join(EVENTS)}", shown(do), 'Write do = "wait".')]
    if (model := EVENTS.get(do)) is None:
        return None, [unknown_name(f"{path}.do", "a kind of event", do, EVENTS)]
    within, mistakes = read_events(table.get("event", []), f"{path}.event") if model is Repeat else ((), [])
    plain = {name: value for name, value in table.items() if model is not Repeat or name != "event"}
    if model is Repeat and not (within or mistakes):
        mistakes = [Mistake(f"{path}.event", "events to repeat", "none", "Write [[event.event]] tables below it.")]
    try:
        event = model.model_validate_json(json.dumps(plain | ({"event": []} if model is Repeat else {}), default=str))
    except ValidationError as error:
        names = model.model_fields
        return None, from_pydantic(error, path, f'a field of an event that does "{do}"', names) + mistakes
    return event.model_copy(update={"event": within} if model is Repeat else {}), mistakes


class EventReader:
    """Reads what the events of one case do.

    Args:
        validator: Reads devices and rules.
        document: The point.
        devices: Its devices, one for each layer.
        rule: The table of its rule.
        asked: Its rule.
    """

    def __init__(
        self, validator: Validator, document: Document, devices: list[TriedDevice], rule: Document, asked: AskedRule
    ):
        self.validator = validator
        self.asked = asked
        self.document = {name: copy.deepcopy(document[name]) for name in ("device", "rule") if name in document}
        self.devices = devices
        self.rule = {name: value for name, value in rule.items() if name != "label"}
        self.mistakes: list[Mistake] = []

    def steps(self, settings: Settings) -> tuple[tuple[Step, ...], list[Mistake]]:
        """Return the events as steps, repeated ones each time, and the mistakes in them."""
        self.settings = settings
        self.programmed = settings.first_weights == "programmed"
        self.known_weights = self.asked.programs or self.programmed
        steps = self._steps(settings.event, "event") if settings.event else ()
        if len(steps) > MAX_STEPS:
            advice = "Repeat fewer of them, or fewer times."
            self.mistakes.append(Mistake("event", f"at most {MAX_STEPS:,} events", f"{len(steps):,}", advice))
        return steps[:MAX_STEPS], list(dict.fromkeys(self.mistakes))

    def _steps(self, events: tuple[Event, ...], path: str) -> tuple[Step, ...]:
        steps: list[Step] = []
        for n, event in enumerate(events):
            if isinstance(event, Repeat):
                once = self._steps(event.event, f"{path}.{n}.event")
                steps += once * min(event.times, 1 + MAX_STEPS // max(1, len(once)))
            else:
                steps.append(self._step(event, f"{path}.{n}"))
        return tuple(steps)

    def _step(self, event: Event, path: str) -> Step:
        if isinstance(event, Set):
            return Step(event, changes=self._set(event, path))
        if isinstance(event, Train) and event.images is None and event.epochs is None:
            self.mistakes.append(Mistake(path, "images or epochs", "neither", "Write images = 1000, or epochs = 1."))
        if isinstance(event, Compensate) and all(device.digital for device in self.devices):
            got, advice = f"{self.devices[0].choice.reference}, whose weights are digital numbers", "Remove the event."
            self.mistakes.append(Mistake(path, "an array of cells, whose gain may change", got, advice))
        if isinstance(event, Train) and event.rule:
            return self._other_rule(event, path)
        if isinstance(event, (Copy, Distil)):
            return self._other_chip(event, path)
        return Step(event)

    def _other_chip(self, event: Copy | Distil, path: str) -> Step:
        """Return a step to another chip, which may be of another kind, and be taught by another rule."""
        old = self.devices
        devices = self._other_devices(event.device, f"{path}.device") if event.device is not None else []
        if isinstance(event, Copy):
            self._copied(event, path, old)
            return Step(event, devices=tuple(device.choice for device in devices))
        teacher, step = self.asked, Step(event)
        if event.rule:
            step = self._other_rule(event, path)
        elif devices:
            self._refuse(self.asked, f"{path}.device")
        self.known_weights = self.asked.programs or self.programmed
        if event.labels == "soft":
            self.mistakes += _not_soft(teacher, self.asked, path)
        return dataclasses.replace(step, devices=tuple(device.choice for device in devices))

    def _copied(self, event: Copy, path: str, old: list[TriedDevice]) -> None:
        """Note why weights cannot be copied from old devices to the present ones."""
        readout = event.by == "readout"
        if event.device is not None and not (readout or self.known_weights):
            expected = "known weights, for a copy onto another kind of device"
            got = f"{self.asked.described}, of whose weights only changes are known"
            advice = 'Write by = "readout", first_weights = "programmed", or do = "distil".'
            self.mistakes.append(Mistake(f"{path}.device", expected, got, advice))
        if readout or event.device is not None:
            self.mistakes += [_not_programmable(device, path) for device in self.devices if device.fixed]
        if readout and self.settings.has_groups:
            expected, got = "layers of one array each, for a readout", "a convolution whose groups have an array each"
            self.mistakes.append(Mistake(f"{path}.by", expected, got, 'Write by = "register", or leave groups out.'))
        if readout:
            self.mistakes += [_not_readable(device, path) for device in old if device.unreadable]
        self.known_weights = self.known_weights or readout

    def _other_devices(self, table: Document, path: str) -> list[TriedDevice]:
        """Read the device of another kind of chip, for all layers, and go on with it."""
        device, wrong = self.validator.device(table, path)
        self.mistakes += wrong
        if device is None:
            return []
        if self.settings.normalizer.centered and device.from_zero:
            self.mistakes.append(cuts_off(device, self.settings.normalization, path))
        self.document["device"] = copy.deepcopy(table)
        self.devices = [device] * len(self.devices)
        return self.devices

    def _refuse(self, rule: AskedRule, path: str) -> None:
        """Note what the present devices do not show or cannot do that a rule needs."""
        answers = [refusal(rule, device, path) for device in self.devices]
        self.mistakes += list(dict.fromkeys(answer for answer in answers if answer))

    def _set(self, event: Set, path: str) -> tuple[dict[str, Any], ...]:
        """Return the parameters that change, of each device; a device as it was before is the base."""
        try:
            assign(self.document, event.path, event.value, self.validator)
        except PathError as error:
            m = error.mistake
            self.mistakes.append(Mistake(f"{path}.path", m.expected, m.got, m.advice))
            return ()
        listed = self.document["device"]
        tables = listed if isinstance(listed, list) else [listed] * len(self.devices)
        tables = [*tables, *[tables[-1]] * (len(self.devices) - len(tables))]
        changes = []
        for n, (table, before) in enumerate(zip(tables, self.devices, strict=True)):
            place = f"device.{n}" if isinstance(listed, list) else "device"
            now, wrong = self.validator.device(table, place)
            self.mistakes += [Mistake(f"{path}.value", m.expected, m.got, m.advice) for m in wrong]
            name = event.path.split(".")[-1]
            changes.append({name: now.choice.parameters[name]} if now and name in now.choice.parameters else {})
            if now and now.choice.per_chip != before.choice.per_chip:
                got = shown(event.value)
                self.mistakes.append(Mistake(f"{path}.value", f"a value of the kind that {name} had", got, ""))
        return tuple(changes)

    def _other_rule(self, event: Train | Distil, path: str) -> Step:
        """Return a step with another rule, or with other options of the rule so far."""
        same = event.rule.get("name", self.rule["name"]) == self.rule["name"]
        table = self.rule | event.rule if same else event.rule
        read, wrong = self.validator.rule(table, f"{path}.rule")
        self.mistakes += wrong
        if read is None:
            return Step(event)
        self._refuse(read, f"{path}.rule")
        if read.programs and not same and isinstance(event, Train):
            expected = "a rule that begins with the weights as they are"
            advice = "Take forward-forward, direct-feedback-alignment or another one that programs nothing."
            self.mistakes.append(Mistake(f"{path}.rule", expected, f"{read.described}, which programs them", advice))
        self.rule, self.asked = table, read
        return Step(event, rule=read.choice)


def _not_programmable(device: TriedDevice, path: str) -> Mistake:
    got, advice = f"{device.choice.reference}: {device.fixed}", 'Write do = "distil", or take another device.'
    return Mistake(path, "a device that can be programmed, for a copy", got, advice)


def _not_readable(device: TriedDevice, path: str) -> Mistake:
    got, advice = f"{device.choice.reference}: {device.unreadable}", 'Write by = "register", or do = "distil".'
    return Mistake(f"{path}.by", "a device whose curve can be inverted, for a readout", got, advice)


def _not_soft(teacher: AskedRule, student: AskedRule, path: str) -> Iterator[Mistake]:
    """Yield what keeps a student from learning from the scores of a teacher."""
    advice = 'Write labels = "teacher".'
    if not teacher.gives_scores:
        yield Mistake(f"{path}.labels", "a teacher that gives a score of each class", teacher.described, advice)
    if not student.learns_soft_labels:
        yield Mistake(f"{path}.labels", "a student that learns from probabilities", student.described, advice)


def too_few_unlabeled(steps: tuple[Step, ...], there: int) -> Iterator[Mistake]:
    """Yield a mistake for each student that is to see more unlabeled images than there are.

    Args:
        steps: A life.
        there: Images that are neither trained on nor held out.
    """
    advice = "Write a smaller number, or smaller train_images or validation_images."
    for event in {id(step.event): step.event for step in steps}.values():
        if isinstance(event, Distil) and event.images_from == "unlabeled" and there < (event.images or 1):
            yield Mistake("event.images", f"at most the {there} unlabeled images", f"{event.images or 'all'}", advice)
