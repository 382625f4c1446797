"""How a study is reproduced and cited."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analogff.catalog import CatalogError, is_plug_in, resolve_device, resolve_rule
from analogff.catalog.descriptions import describe, describe_rule, plain
from analogff.data import CREDITS

AUTHORS = "The analogff authors"
TITLE = "analogff"


def cautions(manifest: Mapping[str, Any]) -> list[str]:
    """Return what the study file alone does not bring back."""
    study, commit = manifest["study"], str(manifest.get("commit") or "")
    own = [name for name in dict.fromkeys([*_devices(study), *_rules(study)]) if _is_own(name)]
    found = [f"Classes outside of analogff are needed: {', '.join(own)}."] if own else []
    if commit.endswith("-dirty"):
        found.append("Some files of that commit had been edited when this ran.")
    if study.get("dataset", "mnist") not in CREDITS:
        found.append(f"The data is a folder or file: {study['dataset']}.")
    return found


def citation(manifest: Mapping[str, Any]) -> str:
    """Return the program as a BibTeX entry."""
    version = manifest.get("versions", {}).get("analogff", "")
    year = str(manifest.get("created", ""))[:4]
    fields = {"title": f"{{{TITLE}}}", "author": f"{{{AUTHORS}}}", "version": version, "year": year}
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join(["@software{analogff,", *lines, "}"])


def sources(study: Mapping[str, Any]) -> dict[str, str]:
    """Return where the registered devices, rules and data of a study come from."""
    found = {name: text for name in _devices(study) if (text := _source(name, resolve_device, describe))}
    found |= {name: text for name in _rules(study) if (text := _source(name, resolve_rule, describe_rule))}
    data = study.get("dataset", "mnist")
    return found | ({data: CREDITS[data]} if data in CREDITS else {})


def _source(name: str, resolve: Any, tell: Any) -> str:
    """Return the reference of a registered class; plug-ins are not loaded for a report."""
    if _is_own(name):
        return ""
    try:
        return plain(tell(resolve(name, Path.cwd())).source)
    except (CatalogError, StopIteration):
        return ""


def _is_own(name: str) -> bool:
    return ":" in name or is_plug_in(name)


def _devices(study: Mapping[str, Any]) -> Iterator[str]:
    given = study["device"] if isinstance(study["device"], list) else [study["device"]]
    swept = [value for path, values in study["sweep"].items() if path.startswith("device") for value in values]
    tables = [*given, *(value for value in swept if isinstance(value, dict))]
    named = [value for path, values in study["sweep"].items() if path.endswith(".model") for value in values]
    yield from dict.fromkeys([str(t["model"]) for t in tables if "model" in t] + [str(name) for name in named])


def _rules(study: Mapping[str, Any]) -> Iterator[str]:
    yield from dict.fromkeys(str(rule["name"]) for rule in study["rule"])
