"""``analogff rules``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import Command, argument
from analogff.cli.boundary import OK

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Rules(Command):
    """List the learning rules, or describe one: equation, options, ranges, source."""

    rule: Annotated[tyro.conf.Positional[str | None], argument("[RULE]")] = None
    """A registered name, package.module:Class or path/to/file.py:Class; all registered ones by default."""

    def perform(self, console: "Console") -> int:
        """List the registered rules, or describe one."""
        from analogff import catalog
        from analogff.catalog.descriptions import describe_rule
        from analogff.cli.output import list_registered, mistaken, print_description

        if self.rule is None:
            list_registered(catalog.RULES, catalog.resolve_rule, console)
            return OK
        try:
            model = catalog.resolve_rule(self.rule)
        except catalog.CatalogError as error:
            return mistaken(error)
        print_description(self.rule, describe_rule(model), "option", console)
        return OK
