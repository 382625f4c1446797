"""Resolution, validation and trial of a study's devices and rules, before anything runs."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from analogff import catalog
from analogff.catalog import CatalogError
from analogff.catalog.parameters import banked_parameters, read_parameters, with_files
from analogff.device import ContractError, Device, Observable, Sealed, fabricate, require
from analogff.learning.rule import Rule, RuleOptions
from analogff.network.readout import why_unreadable
from analogff.study import origin
from analogff.study.case import DeviceChoice, RuleChoice
from analogff.study.read.needs import AskedRule, TriedDevice
from analogff.study.task import bank_parameters
from analogff.support.messages import in_words
from analogff.support.mistakes import Mistake, from_pydantic, of_plug_in, shown
from analogff.support.process_state import guarded
from analogff.timing import Schedule, Stage, simulate

_TINY = 8, 6
_Class = tuple[type[Device], str]
DeviceRead = tuple[TriedDevice | None, list[Mistake]]
RuleRead = tuple[AskedRule | None, list[Mistake]]


class Validator:
    """Reads device and rule tables. Equal tables are read once, also over the points of a sweep.

    Args:
        folder: The study file's folder, base of relative paths.
        fingerprints: Whether choices get the fingerprints of their code, which stored results need. Classes of a
        running notebook have none.
    """

    def __init__(self, folder: Path, *, fingerprints: bool = True):
        self.folder = folder
        self.fingerprints = fingerprints
        self._devices: dict[str, DeviceRead] = {}
        self._rules: dict[str, RuleRead] = {}
        self._classes: dict[str, _Class] = {}

    def device(self, table: Any, path: str) -> DeviceRead:
        """Read a ``[device]`` table; the choice is None if it has mistakes."""
        key = _key(table, path)
        if key not in self._devices:
            self._devices[key] = self._read_device(table, path)
        return self._devices[key]

    def try_together(self, tables: Iterable[tuple[str, Any]]) -> None:
        """Try device tables, each with its path, in as few banks as possible; `device` retries failures one by one."""
        banks: dict[str, list[tuple[str, type[Device], DeviceChoice]]] = {}
        for path, table in tables:
            if (key := _key(table, path)) in self._devices:
                continue
            model, choice, mistakes = self._choose(table, path)
            if model is None or choice is None:
                self._devices[key] = None, mistakes
                continue
            common = {k: v for k, v in choice.parameters.items() if k not in choice.per_chip}
            bank = _key([common, sorted(choice.per_chip)], f"{choice.fingerprint} {choice.reference}")
            banks.setdefault(bank, []).append((key, model, choice))
        for bank in banks.values():
            keys, models, choices = zip(*bank, strict=True)
            try:
                tried = self._make(models[0], choices)
            except KeyboardInterrupt:
                raise
            except BaseException:  # a device may also exit; the culprit is found one by one
                continue
            self._devices |= {key: (device, []) for key, device in zip(keys, tried, strict=True)}

    def rule(self, table: Any, path: str) -> RuleRead:
        """Read a ``[[rule]]`` table; the choice is None if it has mistakes."""
        key = _key(table, path)
        if key not in self._rules:
            self._rules[key] = self._read_rule(table, path)
        return self._rules[key]

    def options_of(self, table: object) -> list[str]:
        """Return the option names of a rule's table; none if the rule is unknown."""
        name = table.get("name") if isinstance(table, dict) else None
        try:
            found = catalog.resolve_rule(name, self.folder) if isinstance(name, str) else None
            return ["name", *found.Options.model_fields] if found else []
        except CatalogError:
            return []

    def _read_device(self, table: Any, path: str) -> DeviceRead:
        model, choice, mistakes = self._choose(table, path)
        return self._try(model, choice, path) if model and choice else (None, mistakes)

    def _choose(self, table: Any, path: str) -> tuple[type[Device] | None, DeviceChoice | None, list[Mistake]]:
        """Read a ``[device]`` table without trying it."""
        reference, mistake = _named(table, "model", path, catalog.device_names)
        if mistake:
            return None, None, [mistake]
        try:
            model, code = self._class(reference)
        except CatalogError as error:
            return None, None, [Mistake(f"{path}.model", error.expected, error.got, error.advice)]
        written = {k: v for k, v in table.items() if k != "model"}
        filled, mistakes = read_parameters(model, written, path, self.folder)
        if mistakes:
            return None, None, mistakes
        mark = origin.of_device(code, model, filled, self.folder)
        per_chip = frozenset(name for name in banked_parameters(model) if _number(filled.get(name)))
        return model, DeviceChoice(reference, filled, per_chip, mark), []

    def _class(self, reference: str) -> _Class:
        """Return a device class and the fingerprint of its code, both from its first use in this study."""
        if reference not in self._classes:
            model = catalog.resolve_device(reference, self.folder)
            code = catalog.fingerprint(reference, catalog.DEVICES, self.folder) if self.fingerprints else ""
            self._classes[reference] = model, code
        return self._classes[reference]

    def _try(self, model: type[Device], choice: DeviceChoice, path: str) -> DeviceRead:
        try:
            return self._make(model, [choice])[0], []
        except BaseException as error:
            advice = f"Mend it; `analogff check {choice.reference}` says more."
            return None, [of_plug_in(error, path, f"{choice.reference} to make a chip that can be used", advice)]

    def _make(self, model: type[Device], choices: Sequence[DeviceChoice]) -> list[TriedDevice]:
        """Make and use tiny chips, so that errors occur now."""
        bank = [*choices, choices[-1]]  # always more than one chip
        with guarded(choices[0].reference):
            parameters = with_files(model, bank_parameters(bank), self.folder)
            device = fabricate(model, *_TINY, seeds=list(range(len(bank))), parameters=parameters)
            chips = Sealed(device, chips=len(bank), level=Observable.PROBE, name=choices[0].reference)
            _use(chips, len(bank))
            hidden, fixed = {level: require(device, level) for level in Observable}, _why_fixed(chips, len(bank))
            digital = device.datasheet.readable_weights
            unreadable = None if digital else why_unreadable(device.datasheet)
            apart = _why_apart(device, len(bank))
            pulsed = not digital and device.datasheet.change_step is not None
            least = device.datasheet.input_min
            from_zero = least is not None and bool((torch.as_tensor(least) >= 0).any())
        copies = _copies(device, len(bank))
        return [
            TriedDevice(
                dataclasses.replace(choice, copies=copies), hidden, fixed, unreadable, digital, apart, pulsed, from_zero
            )
            for choice in choices
        ]

    def _read_rule(self, table: Any, path: str) -> RuleRead:
        name, mistake = _named(table, "name", path, catalog.rule_names)
        if mistake:
            return None, [mistake]
        try:
            model: type[Rule] = catalog.resolve_rule(name, self.folder)
            mark = origin.of_rule(name, self.folder) if self.fingerprints else ""
        except CatalogError as error:
            return None, [Mistake(f"{path}.name", error.expected, error.got, error.advice)]
        label = table.get("label")
        if not (label is None or isinstance(label, str) and label.strip()):
            return None, [
                Mistake(f"{path}.label", "a text for tables and figures", shown(label), 'Write label = "...".')
            ]
        written = {k: v for k, v in table.items() if k not in ("name", "label")}
        try:
            with guarded(name) if catalog.is_plug_in(name) else nullcontext():
                options = model.Options.model_validate_json(json.dumps(written, default=str), strict=True)
                asked = _asked(model, options)
        except ValidationError as error:
            return None, from_pydantic(error, path, f"an option of {name}", model.Options.model_fields)
        except BaseException as error:
            return None, [of_plug_in(error, path, f"{name} to say what it needs and its schedule")]
        given = options.model_dump(mode="json")
        choice = RuleChoice(name, given, mark, written=tuple(sorted(written)), label=label)
        return AskedRule(choice, **asked), []


def _asked(model: type[Rule], options: RuleOptions) -> dict[str, Any]:
    """Call a rule's class methods, so that errors occur now; return the fields of `AskedRule`."""
    needs, schedule = model.needs(options), model.schedule(options)
    if not isinstance(needs, Observable):
        raise TypeError(f"needs returned {needs!r}, which is no Observable")
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule returned {schedule!r}, which is no Schedule of analogff.timing")
    simulate([Stage(1.0, 1.0)] * 2, schedule, steps=2, reads_per_step=1)
    for say in (model.uses_head, model.can_bank, model.pass_clocks):
        say(options)
    scored = model.scores is not Rule.scores or (model.predict is Rule.predict and needs >= Observable.OUTPUT)
    return {
        "needs": needs,
        "programs": bool(model.programs(options)),
        "learns_soft_labels": bool(model.learns_soft_labels(options)),
        "gives_scores": scored,
        "writes": options,
    }


def _why_apart(device: Device, count: int) -> str | None:
    """Say in a sentence why arrays of this kind cannot share their neurons, or None if they can."""
    try:
        device.sums(torch.ones(count, 1, _TINY[0]))
    except ContractError as error:
        return str(error)
    return None


def _use(chips: Sealed, count: int) -> None:
    n_in, n_out = _TINY
    chips.measure(torch.ones(count, 3, n_in))
    if chips.datasheet.bias_port:
        chips.probe(torch.ones(count, 3, n_in), (torch.tensor(0.1), torch.tensor(-0.1)))
    chips.pulse(torch.zeros(count, n_out, n_in))
    chips.wait(torch.zeros(count))


def _why_fixed(chips: Sealed, count: int) -> str | None:
    """Return why chips cannot be programmed, or None if they can."""
    n_in, n_out = _TINY
    try:
        chips.program(torch.zeros(count, n_out, n_in))
    except Exception as error:  # relevant only to rules that program
        return "its class does not override program" if isinstance(error, ContractError) else in_words(error)
    return None


def _copies(device: Device, count: int) -> float:
    """Return the four-byte numbers that a device keeps for each weight."""
    cells = count * _TINY[0] * _TINY[1]
    return sum(b.numel() * b.element_size() for b in device.buffers() if b.numel() >= cells) / (4 * cells)


def _named(table: Any, key: str, path: str, names: Callable[[], list[str]]) -> tuple[str, Mistake | None]:
    """Return the value of a table's name field, or the mistake."""
    if not isinstance(table, dict):
        return "", Mistake(path, f"a table with {key} = ... ({', '.join(names())})", shown(table))
    value = table.get(key)
    if not isinstance(value, str):
        got = shown(value) if key in table else "nothing"
        return "", Mistake(f"{path}.{key}", f"a name ({', '.join(names())})", got, f"Add {key} = ...")
    return value, None


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _key(table: object, path: str) -> str:
    return f"{path}={json.dumps(table, default=str, sort_keys=True)}"
