"""``analogff devices``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import Command, argument
from analogff.cli.boundary import OK

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Devices(Command):
    """List the devices, or describe one: equation, parameters, ranges, source."""

    device: Annotated[tyro.conf.Positional[str | None], argument("[DEVICE]")] = None
    """A registered name, package.module:Class or path/to/file.py:Class; all registered ones by default."""

    def perform(self, console: "Console") -> int:
        """List the registered devices with their sources, or describe one."""
        from analogff import catalog
        from analogff.catalog.descriptions import describe
        from analogff.cli.output import list_registered, mistaken, print_description

        if self.device is None:
            list_registered(
                catalog.DEVICES, lambda name: catalog.resolve_device(name, Path.cwd()), console, _with_source
            )
            return OK
        try:
            found = describe(catalog.resolve_device(self.device, Path.cwd()))
        except catalog.CatalogError as error:
            return mistaken(error)
        print_description(self.device, found, "parameter", console)
        return OK


def _with_source(model: type) -> str:
    from analogff.catalog.descriptions import describe

    found = describe(model)
    return f"{found.summary} Source: {found.source}" if found.source else found.summary
