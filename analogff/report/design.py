"""The design of a study in words: settings, devices, rules, sweep; and the study file that it came from."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analogff.data import title
from analogff.report.table import Table
from analogff.study.settings import TABLES, Settings

_FIRST = ("dataset", "layers", "epochs", "chips", "seeds", "train_images", "validation_images")
"""Fields that a reader always wants to know, in this order."""
_MOST_CLASSES = 20
_ELSEWHERE = ("name", "question", *TABLES, "event")


def settings_of(study: Mapping[str, Any], classes: Mapping[str, Sequence[str]] | None = None) -> Table:
    """Return the plain fields that matter or differ from their defaults, with budget and events.

    Args:
        study: As in the manifest.
        classes: Names of the classes of each data set; listed unless they are numbers.
    """
    shown = dict(study) | {"dataset": title(study["dataset"])} if "dataset" in study else study
    rows = [[_words(name), _value(shown[name])] for name in _FIRST if study.get(name) is not None]
    rows += [[_words(name), _value(value)] for name, value in written(study).items() if name not in _FIRST]
    for names in dict.fromkeys(tuple(names) for names in (classes or {}).values() if not all(map(str.isdigit, names))):
        rows.append(["classes", _listed([*names[:_MOST_CLASSES], *["..."] * (len(names) > _MOST_CLASSES)])])
    rows += [["budget", _inline(_given(study["budget"]))]] if study.get("budget") else []
    rows += [[f"event {n}", _inline(_given(event))] for n, event in enumerate(study.get("event") or (), 1)]
    return Table.of(("field", "value"), rows, 2)


def parts_of(study: Mapping[str, Any]) -> Table:
    """Return devices, rules and swept paths, with what the study writes of them."""
    devices = study["device"] if isinstance(study["device"], list) else [study["device"]]
    rows = [["device" if len(devices) == 1 else f"device {n}", _named(d, "model")] for n, d in enumerate(devices, 1)]
    rows += [["rule", _named(rule, "name")] for rule in study["rule"]]
    rows += [["swept", f"{path}: {_listed(values)}"] for path, values in study["sweep"].items()]
    rows += [["tuned", _inline(study["tune"])]] if "tune" in study else []
    return Table.of(("part", "written"), rows, 2)


def study_file(study: Mapping[str, Any]) -> str:
    """Return a study file of the same runs."""
    return "\n".join(_lines(study)) + "\n"


def written(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain fields that differ from their defaults."""
    fields = {name: field for name, field in Settings.model_fields.items() if name not in _ELSEWHERE}
    given = {name: study[name] for name in fields if name in study}
    return {name: value for name, value in given.items() if _plain(value) != _plain(fields[name].get_default())}


def _lines(study: Mapping[str, Any]) -> Iterator[str]:
    for name in ("name", "question"):
        if study.get(name):
            yield f"{name} = {_toml(study[name])}"
    for name, value in written(study).items():
        if value is not None:
            yield f"{name} = {_toml(value)}"
    for name in ("budget", "system"):
        if study.get(name):
            yield from _table(f"[{name}]", _given(study[name]))
    devices = study["device"]
    for device in devices if isinstance(devices, list) else [devices]:
        yield from _table("[[device]]" if isinstance(devices, list) else "[device]", device)
    for rule in study["rule"]:
        yield from _table("[[rule]]", rule)
    for event in study.get("event") or ():
        yield from _table("[[event]]", _given(event))
    for name in ("sweep", "tune", "figure"):
        if study.get(name):
            yield from _table(f"[{name}]", study[name])


def _table(header: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", header)
    yield from (f"{_key(name)} = {_toml(value)}" for name, value in values.items() if value is not None)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Any) -> str:
    """Return a value as TOML: texts, numbers, truth values, and lists and tables of them."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items() if v is not None) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML has JSON's escapes


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value is not None}


def _named(table: Mapping[str, Any], key: str) -> str:
    rest = {name: value for name, value in table.items() if name not in (key, "label")}
    name = f"{table['label']}: {table[key]}" if table.get("label") else str(table[key])
    return name + (f" ({_inline(rest)})" if rest else "")


def _inline(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in table.items())


def _listed(values: list[Any]) -> str:
    return ("; " if any(isinstance(v, (list, dict)) for v in values) else ", ").join(map(_value, values))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _inline(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))
