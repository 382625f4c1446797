"""A folder of results as one page."""

from pathlib import Path
from typing import Any

import jinja2

import analogff
from analogff.figures.results import Results
from analogff.report import design, numbers, reproduce
from analogff.report.figures import shown
from analogff.report.table import MOST_ROWS
from analogff.study.measurements.life import EVENTS
from analogff.study.results.choice import describe_choice, read_choice
from analogff.study.results.lives import at_end_of_life, judged_when
from analogff.study.results.manifest import read_manifest
from analogff.study.results.store import load_measurements, load_results
from analogff.study.results.summary import CONFIDENCE, summarize
from analogff.support.atomic import replacing

NAME = "report.html"
"""The file in the folder of results."""


def write_report(folder: Path | str, out: Path | None = None) -> Path:
    """Write the report of a folder of results.

    Args:
        folder: Folder of ``analogff run``, finished or not.
        out: The file; `NAME` in the folder by default.

    Returns:
        The file.

    Raises:
        ValueError: If there is no manifest or no result in the folder.
    """
    text = page(Path(folder))
    out = Path(folder) / NAME if out is None else out
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return out


def page(folder: Path) -> str:
    """Return the report of a folder of results as HTML that loads nothing and needs no script."""
    loader = jinja2.PackageLoader("analogff.report", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html").render(contents(folder))


def contents(folder: Path) -> dict[str, Any]:
    """Return what the page says, by the names of the template."""
    manifest, trained, tables = read_manifest(folder), load_results(folder), load_measurements(folder)
    events = tables.get(EVENTS.name)
    frame = at_end_of_life(trained, manifest, events)
    study, summary = manifest["study"], summarize(frame, manifest)
    sentences, pairs = numbers.pairs(frame, manifest)
    figures, of = shown(Results.of(trained, tables, manifest))
    choice = read_choice(folder) if "tune" in study else None
    return {
        "name": study.get("name", folder.name),
        "question": study.get("question"),
        "folder": folder.name,
        "created": manifest.get("created", "")[:10],
        "runs": frame["run"].nunique(),
        "confidence": f"{100 * CONFIDENCE:.0f} %",
        "sentences": sentences[:MOST_ROWS],
        "warnings": numbers.warnings(frame, manifest, events),
        "settings": design.settings_of(study, manifest.get("classes")),
        "parts": design.parts_of(study),
        "chosen": list(describe_choice(choice)) if choice else [],
        "errors": numbers.errors(summary),
        "judged": judged_when(manifest),
        "chips": numbers.counted(summary, "chips"),
        "over_seeds": numbers.errors_over_seeds(summary),
        "seeds": numbers.counted(summary, "seeds"),
        "pairs": pairs,
        "figures": figures,
        "figures_of": of,
        "costs": numbers.costs(summary),
        "energy": numbers.energy(frame, manifest),
        "versions": {"analogff": "of an unknown version"} | manifest.get("versions", {}),
        "platform": manifest.get("platform"),
        "commit": (manifest.get("commit") or "").removesuffix("-dirty"),
        "simulated": f"{_wall_seconds(frame):.3g}",
        "cautions": reproduce.cautions(manifest),
        "study_file": design.study_file(study),
        "citation": reproduce.citation(manifest),
        "sources": reproduce.sources(study),
        "program": f"analogff {analogff.__version__}",
    }


def _wall_seconds(frame: Any) -> float:
    """Return the time that the simulation of all runs took, each counted at its last epoch."""
    return float(frame.groupby("run")["wall_seconds"].max().sum())
