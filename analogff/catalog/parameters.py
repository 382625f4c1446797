"""Parameters of a device class, from its constructor."""

import dataclasses
import functools
import hashlib
import inspect
import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from analogff.device import Device
from analogff.device.beside import idle
from analogff.support.messages import did_you_mean
from analogff.support.mistakes import Mistake, from_pydantic, shown, unknown_name

_CONTRACT = ("self", "n_in", "n_out", "seed", "datasheet")


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One keyword argument of a device class."""

    name: str
    """Name of the argument."""
    adapter: TypeAdapter | None
    """Validates one number; None without an annotation."""
    default: Any
    """Default; ``inspect.Parameter.empty`` if required."""
    per_chip: bool
    """Whether a bank takes a tensor with one number for each chip."""
    is_file: bool = False
    """Whether it is annotated as a ``Path``: a file, relative to the study file."""

    @functools.cached_property
    def plain(self) -> bool:
        """Whether its default can be hashed and sent to a worker."""
        return _plain(self.default)

    @functools.cached_property
    def settled(self) -> Any:
        """The validated default; unchanged if validation fails, since defaults are not checked."""
        try:
            return _validated(self, self.default)
        except ValidationError:
            return self.default


@functools.lru_cache(maxsize=256)  # building validators takes milliseconds, and every point of a sweep needs them
def parameters_of(model: type[Device]) -> tuple[dict[str, Parameter], bool]:
    """Return the parameters of a class, and whether it takes others (``**kwargs``)."""
    arguments = inspect.signature(model.__init__).parameters
    annotations = _annotations(model)
    kinds = {p.kind for p in arguments.values()}
    named = [
        p for p in arguments.values() if p.name not in _CONTRACT and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    found = {p.name: _parameter(p, annotations.get(p.name, Any), model.banked) for p in named}
    return found, inspect.Parameter.VAR_KEYWORD in kinds


@functools.lru_cache(maxsize=256)
def banked_parameters(model: type[Device]) -> tuple[str, ...]:
    """Return the names of the parameters of which every chip of a bank can have its own."""
    known, _ = parameters_of(model)
    return tuple(name for name, parameter in known.items() if parameter.per_chip)


def read_parameters(
    model: type[Device], table: dict[str, Any], path: str, folder: Path
) -> tuple[dict[str, Any], list[Mistake]]:
    """Validate the parameters that a study file gives.

    Args:
        model: The class.
        table: The table, without ``model``.
        path: Its path in the study file.
        folder: Base of relative paths.

    Returns:
        All parameters, defaults included; and the mistakes.
    """
    known, open_ended = parameters_of(model)
    what = f"a parameter of {model.__name__}"
    mistakes = [unknown_name(f"{path}.{k}", what, k, known) for k in table if k not in known and not open_ended]
    filled = {key: value for key, value in table.items() if key not in known}
    for name, parameter in known.items():
        if name not in table and parameter.default is inspect.Parameter.empty:
            advice = f"Add --set {name}=..." if path == "--set" else f"Add {name} = ..."
            expected = f"a value, since {model.__name__} has no default"
            mistakes.append(Mistake(f"{path}.{name}", expected, "nothing", advice))
            continue
        if name not in table and not parameter.plain:
            continue  # cannot be hashed or sent to a worker: the class fills it in
        try:
            filled[name] = _validated(parameter, table[name]) if name in table else parameter.settled
        except ValidationError as error:
            mistakes += from_pydantic(error, f"{path}.{name}")
        if parameter.is_file and isinstance(filled.get(name), Path):
            mistakes += _where_missing(Path(folder, filled[name]), f"{path}.{name}")
    return filled, mistakes + list(_idle(model, known, {k: v for k, v in filled.items() if k in table}, path))


def _idle(model: type[Device], known: dict[str, Parameter], given: dict[str, Any], path: str) -> Iterator[Mistake]:
    """Yield a mistake for each parameter that does nothing without another one."""
    defaults = {name: parameter.settled for name, parameter in known.items()}
    for name, others in idle(given, _annotations(model), defaults).items():
        needed = " or ".join(others)
        expected = f"{needed} beside it, without which it does nothing"
        yield Mistake(f"{path}.{name}", expected, f"{shown(given[name])} alone", f"Add {needed}, or leave it out.")


def with_files(model: type[Device], parameters: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return parameters with their paths resolved against a folder."""
    return parameters | {name: Path(folder, parameters[name]) for name in _files(model, parameters)}


def sums_of_files(model: type[Device], parameters: dict[str, Any], folder: Path) -> str:
    """Return the checksums of files among parameters; empty without any."""
    paths = {name: Path(folder, parameters[name]) for name in _files(model, parameters)}
    return " ".join(f"{name}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in paths.items())


def _files(model: type[Device], parameters: dict[str, Any]) -> list[str]:
    known, _ = parameters_of(model)
    return [name for name, given in known.items() if given.is_file and parameters.get(name) is not None]


def _where_missing(file: Path, path: str) -> list[Mistake]:
    try:
        if file.is_file():
            return []
        there = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
    except OSError as error:  # longer than a file system takes, or not for our eyes
        return [Mistake(path, "a file", str(error), "Give another path.")]
    advice = did_you_mean(file.name, there, "Write the path as seen from the study file, or from here for --set.")
    return [Mistake(path, "a file", f"{file}, which is not there", advice)]


def _plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _validated(parameter: Parameter, value: Any) -> Any:
    if parameter.adapter is None:
        return value
    # Strict JSON mode: a list is a tuple, a whole number is a number, but a text or a boolean is not.
    return parameter.adapter.validate_json(json.dumps(value, default=str), strict=True)


@functools.lru_cache(maxsize=256)
def _annotations(model: type[Device]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(model.__init__, include_extras=True)
    except Exception:  # an annotation that cannot be evaluated has no limits
        return {}


def _parameter(argument: inspect.Parameter, annotation: Any, banked: bool) -> Parameter:
    single = _for_one_chip(annotation)
    try:
        adapter = None if single is Any else TypeAdapter(single, config=ConfigDict(allow_inf_nan=False))
    except PydanticUserError:
        adapter = None
    is_file = any(part is Path for part in (single, *typing.get_args(single)))
    return Parameter(argument.name, adapter, argument.default, banked and single != annotation, is_file)


def _for_one_chip(annotation: Any) -> Any:
    """Remove tensors from a union: ``Annotated[float | Tensor, Ge(0)]`` to ``Annotated[float, Ge(0)]``."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return typing.Annotated[(_for_one_chip(parts[0]), *parts[1:])]  # type: ignore[valid-type]
    if origin in (typing.Union, types.UnionType) and any(p is torch.Tensor or _for_one_chip(p) != p for p in parts):
        return typing.Union[tuple(_for_one_chip(p) for p in parts if p is not torch.Tensor)]  # noqa: UP007
    return annotation
