"""``analogff characterize``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from analogff.cli.arguments import ArgumentError, Command, Settings, argument, check_folder, device_and_settings
from analogff.cli.boundary import FAILED, OK, say_error

if TYPE_CHECKING:
    from rich.console import Console

    from analogff.characterize import Characterization


@dataclass(frozen=True)
class Characterize(Command):
    """Write the datasheet of a device, and a twin, from reads and pulses alone."""

    device: Annotated[tyro.conf.Positional[str], argument("DEVICE")]
    """A registered name, package.module:Class or path/to/file.py:Class."""
    set: Settings = ()
    """A parameter of the device, e.g. read_noise=0.1; may be given several times."""
    n_in: Annotated[int, argument("N")] = 64
    """Input lines."""
    n_out: Annotated[int, argument("N")] = 32
    """Output lines; many intervals count them."""
    chips: Annotated[int, argument("N")] = 5
    """Number of chips."""
    seed: Annotated[int, argument("N")] = 0
    """Seed of the first chip and of the stimuli."""
    out: Annotated[Path | None, argument("DIR")] = None
    """Folder of the datasheet; datasheets/<name of the device> by default."""

    def perform(self, console: "Console") -> int:
        """Measure a device as a black box, write its datasheet and print the table."""
        from analogff.characterize import write_down
        from analogff.cli.output import mistaken
        from analogff.study.results.names import file_name
        from analogff.support.console import say
        from analogff.support.messages import in_words

        folder = self.out or Path("datasheets", file_name(self.device))
        try:
            model, given = device_and_settings(self.device, self.set)
            check_folder(folder)
        except ArgumentError as error:
            return mistaken(error, error.mistakes)
        try:
            found = self._measure(model, given, console)
        except ValueError as error:
            return mistaken(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # errors of a device's code name their line; a device may also exit
            say_error(f"Expected {self.device} to be made. Got {in_words(error)}. `analogff check` says more.")
            return FAILED
        files = write_down(found, folder)
        _print_figures(found, console)
        say(console, f"{len(files)} files in {folder}: datasheet.md is the one to read.")
        return OK if found.estimates else FAILED

    def _measure(self, model: Any, given: dict[str, Any], console: "Console") -> "Characterization":
        from rich.text import Text

        from analogff.characterize import characterize
        from analogff.support.process_state import guarded

        with console.status("") as status, guarded(self.device):
            return characterize(
                model,
                name=self.device,
                parameters=given,
                n_in=self.n_in,
                n_out=self.n_out,
                chips=self.chips,
                seed=self.seed,
                tell=lambda what: status.update(Text(f"Measuring: {what}")),
            )


def _print_figures(found: "Characterization", console: "Console") -> None:
    from analogff.characterize.write_down import rows
    from analogff.cli.output import print_table
    from analogff.support.console import say

    title = f"{found.device}, {len(found.seeds)} chips, as measured from outside"
    print_table(title, ("figure", "value", "95 % interval", "unit", "n"), rows(found), console)
    for row in found.missing:
        say(console, f"{row.name}: not measurable: {row.why}.")
