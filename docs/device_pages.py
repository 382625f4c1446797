"""Write docs/devices: a page for each device of the zoo, from its own docstring and from measurements of its chips.

python docs/device_pages.py            # all of them, some minutes
python docs/device_pages.py reram pcm  # these
"""

import dataclasses
import inspect
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from analogff.catalog.descriptions import Description, Line, describe
from analogff.catalog.names import DEVICES, registered
from analogff.characterize import Characterization, characterize
from analogff.characterize.drawings import paint
from analogff.characterize.write_down import rows
from analogff.figures.style import RC
from hardware_models.array.periphery import Periphery

FOLDER = Path(__file__).resolve().parent / "devices"
SHOWN = ("transfer", "noise", "write")
"""Curves worth a picture, where they could be measured."""
PERIPHERY = {field.name: field.default for field in dataclasses.fields(Periphery)}
"""Parameters that all arrays have, by their common defaults."""
ROOT = FOLDER.parents[1]
TOLD = {"measured": {"file": Path("tests/hardware_models/measured/pair.csv")}}
"""Parameters of devices that need some; files as seen from the root."""
_MATH = re.compile(r"^\.\. math::(.*\n(?:(?:    .*)?\n)*)", re.MULTILINE)


def main(*names: str) -> None:
    """Write the pages of the named devices, or of all, and the list of all."""
    zoo = {entry.name: entry.load() for entry in registered(DEVICES) if entry.value.startswith("hardware_models.")}
    os.chdir(ROOT)
    FOLDER.mkdir(exist_ok=True)
    for name in names or zoo:
        found = characterize(zoo[name], name=name, parameters=TOLD.get(name))
        _draw(found, FOLDER / f"{name}.png")
        (FOLDER / f"{name}.md").write_text(page(name, describe(zoo[name]), found))
        print(f"docs/devices/{name}.md", flush=True)
    (FOLDER / "periphery.md").write_text(periphery(describe(zoo["unknown"])))
    (FOLDER / "README.md").write_text(index({name: describe(model) for name, model in zoo.items()}))


def index(zoo: dict[str, Description]) -> str:
    """Return the list of all pages."""
    lines = [f"| [{name}]({name}.md) | {told.summary} | {told.source or '-'} |" for name, told in zoo.items()]
    return "\n".join(
        [
            "# The zoo",
            "",
            "One page a device, written by `python docs/device_pages.py`: its equation, its parameters, its curves and "
            "figures [as measured from outside](../guides/characterize.md), and how to cite it. How each of them "
            "learns is in [the table of the zoo](../guides/zoo.md).",
            "",
            "| device | what it is | source |",
            "|---|---|---|",
            *lines,
            "",
        ]
    )


def page(name: str, told: Description, found: Characterization) -> str:
    """Return one device's page."""
    inputs, outputs = found.size
    around = [p for p in told.parameters if p.name in PERIPHERY]
    around = around if 2 * len(around) > len(PERIPHERY) else []  # a few of them are the device's own
    own = [p for p in told.parameters if p not in around]
    figures = [f"| {' | '.join(row[:4])} |" for row in rows(found)]
    missing = [f"* {row.name}: {row.why}." for row in found.missing]
    return "\n".join(
        [
            f"# {name}",
            "",
            told.summary,
            "",
            markdown(told.about),
            *(["", f"**Units.** {told.units}"] if told.units else []),
            "",
            f"![Measured curves of {name}]({name}.png)",
            "",
            f"*As measured from outside: {len(found.seeds)} chips of {inputs} inputs and {outputs} outputs.*",
            "",
            "## Parameters",
            "",
            *parameter_table(own),
            *_around(around),
            "",
            "## As measured",
            "",
            f"`analogff characterize {name}{_told(name)}`: {found.reads:,.0f} reads and {found.pulses:,.0f} write "
            "steps a chip; the mean of the chips, and where the mean of such chips lies.",
            "",
            "| figure | value | 95 % interval | unit |",
            "|---|---:|---|---|",
            *figures,
            "",
            *(["Not measurable:", "", *missing, ""] if missing else []),
            *_citation(name, told),
        ]
    )


def markdown(text: str) -> str:
    """Turn the reStructuredText of a docstring into Markdown."""
    fenced = _MATH.sub(lambda found: f"```math\n{inspect.cleandoc(found[1])}\n```\n\n", text + "\n")
    return re.sub(r":math:`([^`]*)`", r"$`\1`$", fenced).strip()


def parameter_table(lines: Sequence[Line], what: str = "parameter") -> list[str]:
    """Return the lines of a table."""
    rows = [f"| `{p.name}` | {p.default} | {_cell(p.limits)} | {_cell(p.meaning)} |" for p in lines]
    return [f"| {what} | default | range | meaning |", "|---|---|---|---|", *rows] if rows else ["It has none."]


def _around(lines: Sequence[Line]) -> list[str]:
    """Return a pointer to the periphery, with what is otherwise here."""
    other = [f"`{p.name}` = {p.default}" for p in lines if p.default != str(PERIPHERY[p.name])]
    missing = [f"`{name}`" for name in PERIPHERY if name not in {p.name for p in lines}]
    told = ["And those of the [periphery](periphery.md)", f", with {', '.join(other)}" if other else ""]
    return ["", "".join([*told, f", without {', '.join(missing)}" if missing else "", "."])] if lines else []


def periphery(told: Description) -> str:
    """Return the page of what all arrays share, told by one that has it."""
    lines = [dataclasses.replace(p, default=str(PERIPHERY[p.name])) for p in told.parameters if p.name in PERIPHERY]
    return "\n".join(
        [
            "# Periphery",
            "",
            "Converters, neurons and wires around an array of cells. Each number here is a parameter of every array of "
            "the zoo, and can be swept chip by chip. A device may have other defaults: its page says so.",
            "",
            *parameter_table(lines),
            "",
        ]
    )


def _citation(name: str, told: Description) -> list[str]:
    source = f"the device by its source: {told.source} And " if told.source else ""
    return [
        "## To cite it",
        "",
        f"Cite {source}the model with the VERSION that you used (`analogff.__version__`), since numbers may change "
        "with it:",
        "",
        "```bibtex",
        "@software{analogff,",
        f"  title   = {{analogff, device {name}}},",
        "  version = {VERSION},",
        "}",
        "```",
        "",
    ]


def _told(name: str) -> str:
    return "".join(f" --set {key}={value}" for key, value in TOLD.get(name, {}).items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _draw(found: Characterization, path: Path) -> None:
    """Draw the curves side by side."""
    curves = [curve for curve in found.curves if curve.name in SHOWN]
    with mpl.rc_context():  # the same look whatever the user's own settings are
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        figure = Figure(figsize=(2.6 * len(curves), 2.1), layout="constrained")
        for curve, axes in zip(curves, figure.subplots(1, len(curves), squeeze=False)[0], strict=True):
            paint(curve, axes)
        figure.savefig(path, format="png", dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
