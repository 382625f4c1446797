"""``analogff check``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import ArgumentError, Command, Settings, device_and_settings
from analogff.cli.boundary import FAILED, OK, say_error

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Check(Command):
    """Check whether a device honors the contract, with a sentence for each check."""

    device: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DEVICE")]
    """A registered name, package.module:Class or path/to/file.py:Class."""
    set: Settings = ()
    """A parameter of the device, e.g. read_noise=0.1; may be given several times."""

    def perform(self, console: "Console") -> int:
        """Run the conformance suite on a device."""
        from analogff.cli.output import mistaken
        from analogff.device.checks.suite import check_device
        from analogff.study.run.stall import watched
        from analogff.support.console import say

        try:
            model, given = device_and_settings(self.device, self.set)
        except ArgumentError as error:
            return mistaken(error, error.mistakes)
        with watched(f"Checking {self.device}", say_error):
            found = check_device(model, **given)
        for line in found.lines():
            say(console, line)
        return OK if found.passed else FAILED
