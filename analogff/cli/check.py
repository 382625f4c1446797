"""``analogff check``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import ArgumentError, Command, Settings, device_and_settings
from analogff.cli.boundary import FAILED, OK, say_error

if TYPE_CHECKING:
    from rich.console import Console

    from analogff.device import Report


@dataclass(frozen=True)
class Check(Command):
    """Check whether a device honors the contract, with a sentence for each check."""

    device: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DEVICE")]
    """A registered name, package.module:Class or path/to/file.py:Class."""
    set: Settings = ()
    """A parameter of the device, e.g. read_noise=0.1; may be given several times."""

    def perform(self, console: "Console") -> int:
        """Run the conformance suite on a device."""
        from analogff.catalog.names import is_file
        from analogff.cli.output import mistaken
        from analogff.device.checks.suite import check_device
        from analogff.study.read.survival import mistake_of
        from analogff.study.run.stall import watched
        from analogff.support.console import say
        from analogff.support.rehearsal import rehearse

        def check() -> "Report":
            model, given = device_and_settings(self.device, self.set)
            return check_device(model, **given)

        try:
            with watched(f"Checking {self.device}", say_error):
                if is_file(self.device) and (end := rehearse(check)):
                    return mistaken(self.device, [mistake_of(end)])
                found = check()
        except ArgumentError as error:
            return mistaken(error, error.mistakes)
        for line in found.lines():
            say(console, line)
        return OK if found.passed else FAILED
