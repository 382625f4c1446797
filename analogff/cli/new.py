"""``analogff new``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from analogff.cli.arguments import Command, argument
from analogff.cli.boundary import MISTAKE, OK, say_error

if TYPE_CHECKING:
    from rich.console import Console

_TEMPLATES = Path(__file__).with_name("templates")
_FILES = {
    "device": ("device.py", "my_device.py"),
    "rule": ("rule.py", "my_rule.py"),
    "study": ("study.toml", "study.toml"),
}
_NEXT = {
    "device": "analogff check {file}:MyDevice",
    "rule": "analogff rules {file}:MyRule",
    "study": "analogff run {file}",
}


@dataclass(frozen=True)
class New(Command):
    """Write a commented file to start from: a device, a rule or a study."""

    kind: tyro.conf.Positional[Literal["device", "rule", "study"]]
    """What to write."""
    file: Annotated[tyro.conf.Positional[Path | None], argument("[FILE]")] = None
    """The file; my_device.py, my_rule.py or study.toml by default. An existing one is left alone."""

    def perform(self, console: "Console") -> int:
        """Write the file and say what to do with it."""
        from analogff.support.console import say

        template, name = _FILES[self.kind]
        file = self.file or Path(name)
        try:
            with file.open("x", encoding="utf-8") as written:
                written.write((_TEMPLATES / template).read_text(encoding="utf-8"))
        except FileExistsError:
            say_error(f"Expected no file {file}. Got one. Give another name, or remove it.")
            return MISTAKE
        except OSError as error:
            say_error(f"Expected to write {file}. Got {error.strerror}. Give another place.")
            return MISTAKE
        say(console, f"{file} is there. Edit it, and go on with `{_NEXT[self.kind].format(file=file)}`.")
        return OK
