"""The arguments of a classifier, validated before a chip is made."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen
from pydantic import BaseModel, ConfigDict, ValidationError

from analogff.catalog import resolve_device
from analogff.catalog.parameters import read_parameters, with_files
from analogff.device import Device, Observable, fabricate, require
from analogff.rules.forward_forward import ForwardForward, ForwardForwardOptions
from analogff.study.read.document import MAX_WHOLE, MAX_WIDTH
from analogff.study.settings import MAX_SEED
from analogff.support.mistakes import Mistake, StudyError, from_pydantic, shown
from analogff.support.plain import plain

_TINY = 8, 6
_LABELS = "lines"  # on lines of their own: an overlay would destroy the first features


class _Size(BaseModel):
    model_config = ConfigDict(frozen=True)

    layers: Annotated[tuple[Annotated[int, Ge(1), Le(MAX_WIDTH)], ...], MinLen(1)]
    epochs: Annotated[int, Ge(1), Le(MAX_WHOLE)]
    chip: Annotated[int, Ge(0), Le(MAX_SEED)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """Validated arguments as plain values, so that they can be pickled."""

    device: str | type[Device]
    """A name or class, for `device_class`."""
    folder: str
    """Base of a relative path in the name."""
    parameters: dict[str, Any]
    """All parameters of the device."""
    options: ForwardForwardOptions
    """Options of the rule."""
    layers: tuple[int, ...]
    """Widths of the hidden layers."""
    epochs: int
    """Passes through the training samples."""
    chip: int
    """The chip's seed."""


def make_plan(
    device: Any, parameters: dict[str, Any] | None, rule_options: dict[str, Any] | None, **asked: Any
) -> Plan:
    """Validate the arguments of a classifier.

    Args:
        device: A name or class.
        parameters: Parameters of the device.
        rule_options: Further options of the rule.
        asked: The other arguments of `FFClassifier`, by name.

    Raises:
        ValueError: If an argument is invalid.
    """
    folder = str(Path.cwd())
    model = device_class(device, folder)
    given, further = _table("device_parameters", parameters), _table("rule_options", rule_options)
    filled, mistakes = read_parameters(model, given, "device_parameters", Path(folder))
    size, wrong = _validated(_Size, {name: asked.pop(name) for name in _Size.model_fields})
    mistakes += wrong + _misplaced(further, asked)
    if mistakes:
        raise StudyError(mistakes)
    filled = with_files(model, filled, Path(folder))
    if asked["slope"] == "auto":
        asked["slope"] = _honest_slope(model, filled)
    options, mistakes = _validated(ForwardForward.Options, {"labels": _LABELS, **further, **asked})
    if mistakes:
        raise StudyError(mistakes)
    return Plan(device=device, folder=folder, parameters=filled, options=options, **dict(size))


def device_class(device: Any, folder: str) -> type[Device]:
    """Return the device class of an argument.

    Raises:
        CatalogError: If there is none.
    """
    if isinstance(device, type) and issubclass(device, Device):
        return device
    if not isinstance(device, str):
        raise TypeError(
            f"Expected device to be a name or a class derived from analogff.Device. Got {device!r}. Name one, such "
            'as "unknown".'
        )
    return resolve_device(device, Path(folder))


def _table(name: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict | None):
        raise StudyError([Mistake(name, "a dictionary, or None for the defaults", shown(given))])
    if others := [key for key in given or {} if not isinstance(key, str)]:
        raise StudyError([Mistake(name, "names that are texts", shown(others[0]), "Put it in quotes.")])
    return plain(given or {})


def _misplaced(further: dict[str, Any], own: dict[str, Any]) -> list[Mistake]:
    """Return the mistakes of options that the classifier itself sets."""
    expected = "an option that is no argument of FFClassifier itself"
    mistakes = [
        Mistake(f"rule_options.{name}", expected, shown(value), f"Write FFClassifier({name}=...).")
        for name, value in further.items()
        if name in own
    ]
    if further.get("labels") == "overlay":
        expected = '"lines" or "rows"'
        mistakes.append(Mistake("rule_options.labels", expected, '"overlay", which writes over features', "Remove it."))
    return mistakes


def _honest_slope(model: type[Device], parameters: dict[str, Any]) -> str:
    """Return the default source of slopes: probed if there is a bias port, else assumed."""
    trial = fabricate(model, *_TINY, seeds=[0], parameters=parameters)
    return "assumed" if require(trial, Observable.PROBE) else "probed"


def _validated(model: type[BaseModel], values: dict[str, Any]) -> tuple[Any, list[Mistake]]:
    """Return values converted as from a study file: whole numbers stay whole, and texts are no numbers."""
    try:
        return model.model_validate_json(json.dumps(plain(values), default=str), strict=True), []
    except ValidationError as error:
        return None, from_pydantic(error, "", f"an option of {ForwardForward.name}", model.model_fields)
