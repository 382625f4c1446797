"""Resolution of names, paths and entry points: the only place where a string becomes a class."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from analogff.support.fingerprints import files_of_script, sum_of_package, sum_of_script
from analogff.support.messages import did_you_mean, in_words
from analogff.support.process_state import PatchedError, guarded

if TYPE_CHECKING:
    from analogff.device import Device
    from analogff.learning.rule import Rule

DEVICES, WRAPPERS, RULES = "analogff.devices", "analogff.wrappers", "analogff.rules"
_OWN_PACKAGES = ("analogff", "hardware_models")
_WRAPPED = re.compile(r"([\w.-]+)\((.+)\)")


class CatalogError(ValueError):
    """A name does not resolve to a usable class.

    Args:
        expected: The expected value.
        got: The actual value.
        advice: The way to correct it.
    """

    def __init__(self, expected: str, got: str, advice: str):
        super().__init__(f"Expected {expected}. Got {got}. {advice}")
        self.expected, self.got, self.advice = expected, got, advice

    def __reduce__(self):
        return type(self), (self.expected, self.got, self.advice)


def device_names() -> list[str]:
    """Return the names of all registered devices."""
    return sorted({entry.name for entry in registered(DEVICES)})


def rule_names() -> list[str]:
    """Return the names of all registered rules."""
    return sorted({entry.name for entry in registered(RULES)})


@functools.cache  # it reads a file of every installed distribution, and a large study calls it thousands of times
def registered(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group, each once, sorted by name."""
    unique = {(entry.name, entry.value): entry for entry in entry_points(group=group)}
    return tuple(unique[key] for key in sorted(unique))


def resolve_device(reference: str, folder: Path) -> type[Device]:
    """Return the device class of a reference in a study file.

    Args:
        reference: A registered name, ``package.module:Class`` or ``path/to/file.py:Class``; each also in the brackets
            of a registered wrapper such as ``local-fields(...)``.
        folder: Base of relative paths.

    Raises:
        CatalogError: If there is no such class, it cannot be imported, or it is no device.
    """
    from analogff.device import Device

    if wrapped := _WRAPPED.fullmatch(reference):
        wrapper = _of_entry_point(wrapped[1], WRAPPERS, "a registered wrapper")
        return _of_type(wrapper(resolve_device(wrapped[2], folder)), Device, reference)
    return _of_type(_find(reference, DEVICES, "a registered device", folder), Device, reference)


def resolve_rule(reference: str, folder: Path | None = None) -> type[Rule]:
    """Return the rule class of a reference in a study file.

    Args:
        reference: A registered name, ``package.module:Class`` or ``path/to/file.py:Class``.
        folder: Base of relative paths; the working directory if None.

    Raises:
        CatalogError: If there is no such class, it cannot be imported, or it is no usable rule.
    """
    from analogff.learning.rule import Rule, RuleOptions

    model = _of_type(_find(reference, RULES, "a registered rule", folder or Path.cwd()), Rule, reference)
    missing = sorted(getattr(model, "__abstractmethods__", ())) + ["name"] * (not hasattr(model, "name"))
    if missing:
        advice = "Write it, as docs/guides/add-a-rule.md shows." if len(missing) == 1 else "Write them."
        raise CatalogError(
            f"{reference} to say name, needs, schedule and step", f"a class without {', '.join(missing)}", advice
        )
    if not (isinstance(model.Options, type) and issubclass(model.Options, RuleOptions)):
        expected = f"Options of {reference} to be a class derived from analogff.rules.RuleOptions"
        raise CatalogError(expected, repr(model.Options), "Derive it.")
    return model


def is_file(reference: str) -> bool:
    """Return whether a reference names a Python file, ``path/to/file.py:Class``."""
    place = reference.rpartition(":")[0]
    return place.endswith(".py") or "/" in place or "\\" in place


def is_plug_in(reference: str) -> bool:
    """Return whether a reference names a class outside of this distribution, which its tests do not cover."""
    if wrapped := _WRAPPED.fullmatch(reference):
        return is_plug_in(wrapped[2]) or is_plug_in(wrapped[1])
    if is_file(reference):
        return True
    if ":" in reference:
        return reference.partition(".")[0].partition(":")[0] not in _OWN_PACKAGES
    owners = {
        distribution(entry)
        for group in (DEVICES, WRAPPERS, RULES)
        for entry in registered(group)
        if entry.name == reference
    }
    return owners != {"analogff"}


def fingerprint(reference: str, group: str, folder: Path) -> str:
    """Return the fingerprint of a referenced class: the checksum of its file or of its package.

    A study that resumes after an edit must not mix old results with new ones. The fingerprint includes imports from the
    file's folder and packages that register devices or rules. It excludes comments and docstrings.
    """
    if wrapped := _WRAPPED.fullmatch(reference):
        return f"{fingerprint(wrapped[1], WRAPPERS, folder)} {fingerprint(wrapped[2], group, folder)}"
    if is_file(reference):
        return sum_of_script(Path(folder, reference.rpartition(":")[0]), _packages())
    if ":" in reference:
        module = reference.rpartition(":")[0]
        if module == "__main__":
            expected, got = "a class that workers can import", f"{reference}, which is of this notebook or script alone"
            raise CatalogError(expected, got, "Put it into a file, and name file.py:Class.")
        return sum_of_package(module, _packages())
    entry = next(entry for entry in registered(group) if entry.name == reference)
    return f"{distribution(entry)} {sum_of_package(entry.module, _packages())}"


def _find(reference: str, group: str, expected: str, folder: Path) -> Any:
    place, colon, attribute = reference.rpartition(":")
    if not colon:
        return _of_entry_point(reference, group, f"{expected}, package.module:Class or file.py:Class")
    if is_file(reference):
        return _attribute(_module_of_file(Path(folder, place).absolute()), attribute, reference)
    return _attribute(_import_module(place, reference), attribute, reference)


def _of_entry_point(name: str, group: str, expected: str) -> Any:
    entries = [entry for entry in registered(group) if entry.name == name]
    if not entries:
        names = sorted({entry.name for entry in registered(group)})
        advice = f"Add its class: {name}:MyClass." if name.endswith(".py") else ""
        advice = advice or did_you_mean(name, names, "Take one of them.")
        raise CatalogError(f"{expected} ({', '.join(names)})", repr(name), advice)
    if len(entries) > 1:
        owners = " and ".join(sorted(distribution(entry) for entry in entries))
        advice = "Rename yours, or uninstall one."
        raise CatalogError(f"one owner of the name {name}", f"registrations by {owners}", advice)
    owner = distribution(entries[0])
    with _loading(entries[0].module, f"{name} of {owner}", f"Mend or uninstall {owner}."):
        return entries[0].load()


def _packages() -> frozenset[str]:
    """Return the names of the packages that register devices or rules, whose code decides numbers."""
    groups = (DEVICES, WRAPPERS, RULES)
    return frozenset(entry.module.partition(".")[0] for group in groups for entry in registered(group))


@contextmanager
def _loading(module: str, what: str, advice: str) -> Iterator[None]:
    """Convert exceptions of an import into a message, and undo its changes of shared state."""
    try:
        with nullcontext() if module in sys.modules else guarded(what):  # once, not thousands of times
            yield
    except (CatalogError, KeyboardInterrupt):
        raise
    except PatchedError as error:
        raise CatalogError(f"{what} to change nothing that all devices share", error.got, error.advice) from error
    except BaseException as error:  # an import may also exit
        raise CatalogError(f"{what} to import", in_words(error), advice) from error


@functools.cache  # it parses the metadata of a distribution for every point of a sweep
def distribution(entry: EntryPoint) -> str:
    """Return the name of the distribution that an entry point belongs to."""
    return entry.dist.name if entry.dist else "an unnamed distribution"


def _import_module(name: str, reference: str) -> ModuleType:
    advice = f"Install what holds {name}, or give a path such as ./{name.split('.')[-1]}.py:Class."
    with _loading(name, reference, advice):
        return importlib.import_module(name)


def _module_of_file(path: Path) -> ModuleType:
    """Import the present version of a Python file; an edited file is another module."""
    try:
        found = path.is_file()
        there = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
    except OSError as error:  # too long for a file system, or not readable
        raise CatalogError("a file of Python", str(error), "Give another path.") from error
    if not found:
        advice = did_you_mean(path.name, there, "Write the path as seen from the study file.")
        raise CatalogError("a file of Python", f"{path}, which is not there", advice)
    return _import_file(path, sum_of_script(path, _packages()))


@functools.cache
def _import_file(path: Path, state: str) -> ModuleType:
    name = f"_analogff_{path.stem}_{hashlib.sha256(f'{path} {state}'.encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CatalogError("a file of Python, ending in .py", str(path), "Rename it.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _forget_neighbors(path)
    sys.path.append(str(path.parent))  # last, so that neighboring files can be imported but shadow nothing
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no __pycache__ beside the user's study
    try:
        with _loading(str(path), path.name, f"Mend {path.name}."):
            exec(compile(path.read_bytes(), path, "exec", dont_inherit=True), vars(module))  # no old bytecode
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.dont_write_bytecode = bytecode
        sys.path.remove(str(path.parent))
    return module


def _forget_neighbors(path: Path) -> None:
    """Forget modules that a file imports from its folder, since they were edited or belong to another folder."""
    near = {file.relative_to(path.parent).parts[0].removesuffix(".py") for file in files_of_script(path, _packages())}
    for name in [name for name in sys.modules if name.partition(".")[0] in near - {path.stem}]:
        del sys.modules[name]


def _attribute(module: ModuleType, attribute: str, reference: str) -> Any:
    if not hasattr(module, attribute):
        names = [n for n, thing in vars(module).items() if isinstance(thing, type) and not n.startswith("_")]
        advice = did_you_mean(attribute, names, "Write its class after the colon.")
        raise CatalogError(f"a class of {reference.rpartition(':')[0]}", repr(attribute), advice)
    return getattr(module, attribute)


def _of_type(found: Any, base: type, reference: str) -> Any:
    if not (isinstance(found, type) and issubclass(found, base)):
        base_name = f"{base.__module__.removesuffix('.protocol')}.{base.__name__}"
        raise CatalogError(f"{reference} to be a class derived from {base_name}", repr(found), "Derive it.")
    return found


def summary(model: type) -> str:
    """Return the first line of a class's docstring."""
    lines = (model.__doc__ or "").strip().splitlines()
    return lines[0] if lines else "says nothing about itself"
