"""Controls: cases without the device, which a comparison on physical layers is held against."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from analogff.learning.rule import RuleOptions
from analogff.study.case import LINEAR_DIGITAL, NO_DEVICE, SAME_SIZE_DIGITAL, Case
from analogff.study.read.needs import AskedRule, TriedDevice, refusal
from analogff.study.read.validation import Validator
from analogff.support.mistakes import Mistake, StudyError

COUNT = 3
"""Controls of a case at most."""
_PATH = "controls"
R = TypeVar("R", AskedRule, TriedDevice)


def controls_of(cases: Iterable[Case], validator: Validator) -> tuple[Case, ...]:
    """Return the controls of all cases; what differs only in a device that a control has not is one control.

    Args:
        cases: The cases of a study.
        validator: Reads the devices and rules of the controls.

    Raises:
        StudyError: If these cannot be made.
    """
    alike: dict[str, list[Case]] = {}
    for case in cases:
        for control in _controls(case, validator):
            alike.setdefault(repr((control.settings, control.shown, control.control)), []).append(control)
    return tuple(map(_merged, alike.values()))


def _controls(case: Case, validator: Validator) -> Iterator[Case]:
    for name, model in ((NO_DEVICE, "analogff.device.silent:Silent"), (SAME_SIZE_DIGITAL, "ideal")):
        device = _found(*validator.device({"model": model}, _PATH))
        if refusal(_asked(case.rule.name, case.rule.options, validator), device, _PATH) is None:
            devices = (device.choice,) * len(case.devices)
            yield dataclasses.replace(case, devices=devices, steps=(), control=name)
    settings = case.settings.model_copy(update={"layers": (), "head": "digital"})
    common = {name: case.rule.options[name] for name in RuleOptions.model_fields if name in case.rule.options}
    linear = _asked("backprop", {"through": "oracle"} | common, validator).choice
    yield dataclasses.replace(
        case, settings=settings, devices=(), steps=(), rule=linear, control=LINEAR_DIGITAL, control_of=case.rule
    )


def _asked(name: str, options: dict[str, Any], validator: Validator) -> AskedRule:
    return _found(*validator.rule({"name": name} | options, _PATH))


def _found(read: R | None, mistakes: list[Mistake]) -> R:
    if read is None:
        raise StudyError(mistakes)
    return read


def _merged(alike: list[Case]) -> Case:
    """Return one of several equal cases, without the values of the axes on which they are equal."""
    first = alike[0]
    same = {path: all(case.values[path] == value for case in alike) for path, value in first.values.items()}
    return dataclasses.replace(first, values={path: v if same[path] else None for path, v in first.values.items()})
