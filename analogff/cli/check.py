"""``analogff check``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import ArgumentError, Command, Settings, argument, device_and_settings
from analogff.cli.boundary import FAILED, OK, say_error

if TYPE_CHECKING:
    from rich.console import Console

    from analogff.device import Report


@dataclass(frozen=True)
class Check(Command):
    """Check whether a device honors the contract, or what a study file would run."""

    subject: Annotated[tyro.conf.Positional[str], argument("DEVICE|STUDY.toml")]
    """A device: a registered name, package.module:Class or path/to/file.py:Class. Or a study file: its mistakes, or
    what it would run. Nothing is trained."""
    set: Settings = ()
    """A parameter of the device, e.g. read_noise=0.1, or a path of the study; may be given several times."""

    def perform(self, console: "Console") -> int:
        """Run the conformance suite on a device, or read a study."""
        return self._check_study(console) if self.subject.endswith(".toml") else self._check_device(console)

    def _check_study(self, console: "Console") -> int:
        from analogff.cli.output import mistaken
        from analogff.study.read.survival import read_surviving
        from analogff.study.run.outlook import outlook
        from analogff.study.run.stall import watched
        from analogff.support.console import say
        from analogff.support.mistakes import StudyError

        try:
            with watched(f"Reading {self.subject}", say_error):
                study = read_surviving(Path(self.subject), self.set)
            for line in outlook(study):
                say(console, line)
        except StudyError as error:
            return mistaken(self.subject, error.mistakes)
        return OK

    def _check_device(self, console: "Console") -> int:
        from analogff.catalog.names import is_file
        from analogff.cli.output import mistaken
        from analogff.device.checks.suite import check_device
        from analogff.study.read.survival import mistake_of
        from analogff.study.run.stall import watched
        from analogff.support.console import say
        from analogff.support.rehearsal import rehearse

        def check() -> "Report":
            model, given = device_and_settings(self.subject, self.set)
            return check_device(model, **given)

        try:
            with watched(f"Checking {self.subject}", say_error):
                if is_file(self.subject) and (end := rehearse(check)):
                    return mistaken(self.subject, [mistake_of(end)])
                found = check()
        except ArgumentError as error:
            return mistaken(error, error.mistakes)
        for line in found.lines():
            say(console, line)
        return OK if found.passed else FAILED
