"""Write docs/reference/rules.md: every rule and its options, from the docstrings that ``analogff rules NAME`` prints.

python docs/rule_pages.py
"""

import functools
from pathlib import Path

from device_pages import markdown, parameter_table

from analogff.catalog import resolve_rule, rule_names
from analogff.catalog.descriptions import Description, Line, describe_rule
from analogff.learning.layer_local import LayerLocalOptions
from analogff.learning.rule import Rule

PAGE = Path(__file__).resolve().parent / "reference" / "rules.md"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())


def page() -> str:
    """Return the page of all rules."""
    rules = {name: describe_rule(resolve_rule(name)) for name in rule_names()}
    common = describe_rule(Rule).parameters
    layered = [rules[name].parameters for name in rules if issubclass(resolve_rule(name).Options, LayerLocalOptions)]
    slopes = functools.reduce(lambda some, others: tuple(p for p in some if p in others), layered)
    slopes = tuple(line for line in slopes if line not in common)
    lines = [
        "# Rules",
        "",
        "Written by `python docs/rule_pages.py`; `analogff rules NAME` prints the same. What fields a study has is in",
        "[its guide](../guides/study.md); a rule of your own is [one file](../guides/add-a-rule.md).",
        "",
        "## Options of every rule",
        "",
        *parameter_table(common, "option"),
        "",
        "## Options of every rule whose layers learn from slopes",
        "",
        *parameter_table(slopes, "option"),
    ]
    for name, told in rules.items():
        lines += ["", *_section(name, told, common, slopes)]
    return "\n".join([*lines, ""])


def _section(name: str, told: Description, common: tuple[Line, ...], slopes: tuple[Line, ...]) -> list[str]:
    """Return what is told of one rule; shared options only where their default differs."""
    shared = set(slopes) <= set(told.parameters)
    own = [line for line in told.parameters if line not in (*common, *slopes)]
    beside = "those of every rule" + (" and of slopes" if shared else "")
    return [
        f"## {name}",
        "",
        told.summary,
        "",
        markdown(told.about),
        "",
        *(parameter_table(own, "option") if own else [f"It has no options beside {beside}."]),
        *(["", f"And {beside}."] if own else []),
        "",
        f"Source: {told.source or 'none is named.'}",
    ]


if __name__ == "__main__":
    main()
