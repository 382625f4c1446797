"""Conversion of a document with one value at every path to a case, with all mistakes at once."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analogff.data import DataError, check_dataset
from analogff.study.case import Case
from analogff.study.read.document import Document
from analogff.study.read.events import EventReader, read_events
from analogff.study.read.layers import own_devices, read_layers
from analogff.study.read.needs import TriedDevice, cuts_off, refusal
from analogff.study.read.validation import Validator
from analogff.study.settings import FIELDS, TABLES, Settings
from analogff.support.mistakes import Mistake, from_pydantic, in_clauses, shown


class Reader:
    """Reads points of a study.

    Args:
        folder: The study file's folder.
        validator: Validates devices and rules.
    """

    def __init__(self, folder: Path, validator: Validator):
        self.folder = folder
        self.validator = validator
        self._settings: dict[str, tuple[Settings | None, list[Mistake]]] = {}
        self._there: dict[str, list[Mistake]] = {}

    def case(self, document: Document, rule: int, values: dict[str, Any]) -> tuple[Case | None, list[Mistake]]:
        """Read one point for one rule; the case is None if there are mistakes."""
        settings, mistakes = self.settings(document)
        devices, more = self.devices(document, settings)
        tables, wrong = self.rule_tables(document)
        mistakes = mistakes + more + wrong
        if wrong:
            return None, mistakes
        path = f"rule.{rule}"
        choice, more = self.validator.rule(tables[rule], path)
        mistakes = mistakes + more
        if choice:
            answers = [refusal(choice, device, path) for device in devices]
            mistakes = mistakes + list(dict.fromkeys(answer for answer in answers if answer))
        if settings and settings.first_weights == "programmed":
            mistakes = mistakes + [_not_programmable(device) for device in devices if device.fixed]
        if settings and settings.normalizer.centered:
            cut = [cuts_off(device, settings.normalization, "normalization") for device in devices if device.from_zero]
            mistakes = mistakes + list(dict.fromkeys(cut))
        if mistakes or settings is None or choice is None:
            return None, mistakes
        steps, mistakes = EventReader(self.validator, document, devices, tables[rule], choice).steps(settings)
        case = Case(settings, tuple(device.choice for device in devices), choice.choice, values, steps)
        return (None if mistakes else case), mistakes

    def try_devices(self, documents: Iterable[Document]) -> None:
        """Try the devices of many points together, which takes a hundredth of the time."""
        self.validator.try_together(
            listed
            for document in documents
            for listed in [*_device_tables(document), *((path, table) for _, path, table in own_devices(document))]
        )

    def settings(self, document: Document) -> tuple[Settings | None, list[Mistake]]:
        """Read the plain fields."""
        fields = {k: v for k, v in document.items() if k not in ("device", "rule", "sweep", "tune", "figure")}
        key = json.dumps(fields, default=str)
        if key not in self._settings:
            self._settings[key] = self._read_settings(key)
        return self._settings[key]

    def devices(self, document: Document, settings: Settings | None) -> tuple[list[TriedDevice], list[Mistake]]:
        """Read the devices: one for each layer, and one for a head that is a device."""
        own = list(own_devices(document))
        read_own = {n: self.validator.device(table, path) for n, path, table in own}
        if document.get("device") is None and not (settings and len(own) == len(settings.layers)):
            return [], [Mistake("device", "a [device] table", "nothing", 'Write [device] and model = "...".')]
        single, listed = not isinstance(document.get("device"), list), _device_tables(document)
        read = [self.validator.device(table, path) for path, table in listed]
        mistakes = [mistake for _, found in [*read, *read_own.values()] for mistake in found]
        choices = [device for device, _ in read if device]
        if own and not single:
            advice = "Write one [device] beside layers that have their own, or one [[device]] a layer."
            return choices, [*mistakes, Mistake(own[0][1], "devices in one place", "[[device]] tables too", advice)]
        if settings is None:
            return choices, mistakes
        layers, heads = len(settings.layers), int(settings.head == "device")
        if own:
            return self._with_own(choices, {n: device for n, (device, _) in read_own.items()}, layers, heads, mistakes)
        if not single and not layers <= len(listed) <= layers + heads:
            allowed = f"{layers} or {layers + 1} [[device]] tables (layers, and the head)" if heads else ""
            expected = allowed or f"{layers} [[device]] tables, one a layer (the head is digital)"
            advice = "Write one [device] for all layers, or one [[device]] a layer."
            return choices, [*mistakes, Mistake("device", expected, f"{len(listed)}", advice)]
        if mistakes:
            return choices, mistakes
        return (choices + [choices[-1]] * (layers + heads - len(choices))), []

    @staticmethod
    def _with_own(
        choices: list[TriedDevice],
        own: dict[int, TriedDevice | None],
        layers: int,
        heads: int,
        mistakes: list[Mistake],
    ) -> tuple[list[TriedDevice], list[Mistake]]:
        """Return a device for each layer, of which some have their own; the others, and a head, have the study's."""
        if mistakes:
            return choices, mistakes
        if heads and not choices:
            return [], [Mistake("device", "a [device] table for the head", "nothing", "Write [device].")]
        found = [own.get(n) or choices[0] for n in range(layers)]
        return found + choices[:1] * heads, []

    def rule_tables(self, document: Document) -> tuple[list[Any], list[Mistake]]:
        """Return the ``[[rule]]`` tables."""
        tables = document.get("rule")
        if isinstance(tables, list) and tables:
            return tables, _same_labels(tables)
        got = "nothing" if tables is None else shown(tables)
        return [], [Mistake("rule", "at least one [[rule]] table", got, 'Write [[rule]] and name = "...".')]

    def _read_settings(self, fields: str) -> tuple[Settings | None, list[Mistake]]:
        document = json.loads(fields)
        layers, wrong = {}, []
        if "layers" in document:
            document["layers"], layers, wrong = read_layers(document["layers"])
        tables, mistakes = _tables(document)
        mistakes = wrong + mistakes
        dataset = document.get("dataset", Settings.model_fields["dataset"].default)
        try:
            plain = {k: v for k, v in document.items() if k not in (*TABLES, "event")}
            settings = Settings.model_validate_json(json.dumps(plain), strict=True).model_copy(update=tables)
            if layers:
                settings = settings.model_copy(
                    update={"layers": tuple(layers.get(n, width) for n, width in enumerate(settings.layers))}
                )
        except ValidationError as error:
            mistakes = from_pydantic(error, what="a field of a study", names=FIELDS) + mistakes
            settings = None
        mistakes += self._dataset(dataset) if isinstance(dataset, str) else []
        return (None if mistakes else settings), mistakes

    def _dataset(self, name: str) -> list[Mistake]:
        if name not in self._there:
            try:
                check_dataset(name, self.folder)
                self._there[name] = []
            except DataError as error:
                self._there[name] = [in_clauses("dataset", str(error))]
            except OSError as error:  # too long for a file system, or not readable
                advice = "Give another name or folder."
                self._there[name] = [
                    Mistake("dataset", "the name of a data set, a folder or a file", str(error), advice)
                ]
        return self._there[name]


def _not_programmable(device: TriedDevice) -> Mistake:
    got = f"{device.choice.reference}: {device.fixed}"
    return Mistake("first_weights", "devices that can be programmed", got, 'Write first_weights = "fabricated".')


def _device_tables(document: Document) -> list[tuple[str, Any]]:
    """Return the tables under ``device``, each with its path."""
    tables = document.get("device")
    if isinstance(tables, list):
        return [(f"device.{n}", table) for n, table in enumerate(tables)]
    return [] if tables is None else [("device", tables)]


def _tables(document: dict[str, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the tables that are fields of the settings, and their mistakes."""
    tables, mistakes = {}, []
    for name, model in TABLES.items():
        if name in document:
            try:
                tables[name] = model.model_validate_json(json.dumps(document[name], default=str), strict=True)
            except ValidationError as error:
                mistakes += from_pydantic(error, name, f"a field of [{name}]", model.model_fields)
    events, wrong = read_events(document.get("event", []))
    return tables | ({"event": events} if events else {}), mistakes + wrong


def _same_labels(tables: list[Any]) -> list[Mistake]:
    labels = [table.get("label") if isinstance(table, dict) else None for table in tables]
    twice = [n for n, label in enumerate(labels) if label is not None and label in labels[:n]]
    advice = "Give each rule a label of its own, or none."
    return [Mistake(f"rule.{n}.label", "another label than before", shown(labels[n]), advice) for n in twice]
