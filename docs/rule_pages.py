"""Write docs/reference: rules.md and study.md, from the docstrings of options and study fields.

python docs/rule_pages.py
"""

import functools
from pathlib import Path

from device_pages import markdown, parameter_table

from analogff.catalog import resolve_rule, rule_names
from analogff.catalog.descriptions import Description, Line, describe_fields, describe_rule
from analogff.learning.layer_local import LayerLocalOptions
from analogff.learning.rule import Rule
from analogff.network import ConvolutionLayer, DenseLayer
from analogff.study.events import EVENTS
from analogff.study.read.figure import FigureChoice
from analogff.study.read.tune import Tune
from analogff.study.settings import TABLES, Settings

FOLDER = Path(__file__).resolve().parent / "reference"


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {"rules.md": rules(), "study.md": fields()}


def rules() -> str:
    """Return the page of all rules."""
    described = {name: describe_rule(resolve_rule(name)) for name in rule_names()}
    common = describe_rule(Rule).parameters
    layered = [
        described[name].parameters for name in described if issubclass(resolve_rule(name).Options, LayerLocalOptions)
    ]
    slopes = functools.reduce(lambda some, others: tuple(p for p in some if p in others), layered)
    slopes = tuple(line for line in slopes if line not in common)
    lines = [
        "# Rules",
        "",
        "Written by `python docs/rule_pages.py`. `analogff rules NAME` prints the same.",
        "A [study file](../guides/study.md) selects rules and options.",
        "[Add a rule](../guides/add-a-rule.md) shows how to write one.",
        "",
        "## Options common to all rules",
        "",
        *parameter_table(common, "option"),
        "",
        "## Options of all rules that use slopes",
        "",
        *parameter_table(slopes, "option"),
    ]
    for name, description in described.items():
        lines += ["", *_section(name, description, common, slopes)]
    return "\n".join([*lines, ""])


def fields() -> str:
    """Return the page of the plain fields of a study file, and of the tables among them."""
    lines = [
        "# Fields of a study file",
        "",
        "Written by `python docs/rule_pages.py`. The tables `[device]`, `[[rule]]` and `[sweep]` are described in",
        "[the guide](../guides/study.md).",
        "",
        *parameter_table(describe_fields(Settings), "field"),
    ]
    lines += [
        "",
        "## layers",
        "",
        "[A network of your own](../guides/network.md) has an example. Each may have a `device`.",
    ]
    for model in (ConvolutionLayer, DenseLayer):
        lines += ["", str(model.__doc__).partition("\n")[0], "", *parameter_table(describe_fields(model), "field")]
    for name, model in (*TABLES.items(), ("tune", Tune), ("figure", FigureChoice)):
        summary = str(model.__doc__).partition("\n")[0]
        lines += ["", f"## [{name}]", "", summary, "", *parameter_table(describe_fields(model), "field")]
    lines += ["", "## [[event]]", "", "What happens to chips after training, in order; `do` says what."]
    for name, model in EVENTS.items():
        fields = [line for line in describe_fields(model) if line.name != "do"]
        lines += ["", f'### do = "{name}"', "", str(model.__doc__).partition("\n")[0]]
        lines += ["", *parameter_table(fields, "field")] if fields else []
    return "\n".join([*lines, ""])


def _section(name: str, description: Description, common: tuple[Line, ...], slopes: tuple[Line, ...]) -> list[str]:
    """Return the section of one rule. Shared options are listed only where their default differs."""
    shared = set(slopes) <= set(description.parameters)
    own = [line for line in description.parameters if line not in (*common, *slopes)]
    tables = "options [common to all rules](#options-common-to-all-rules)"
    tables += " and [those of slopes](#options-of-all-rules-that-use-slopes)" if shared else ""
    return [
        f"## {name}",
        "",
        description.summary,
        "",
        markdown(description.about),
        "",
        *(parameter_table(own, "option") if own else [f"It has only the {tables}."]),
        *(["", f"Also the {tables}."] if own else []),
        "",
        *([f"Searched by `[tune]`: {description.searched}.", ""] if description.searched else []),
        f"Source: {description.source or 'none is named.'}",
    ]


if __name__ == "__main__":
    main()
