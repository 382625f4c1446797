"""``analogff timeline``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from analogff.cli.arguments import ArgumentError, Command, Settings, argument, check_folder
from analogff.cli.boundary import OK, say_error

if TYPE_CHECKING:
    from rich.console import Console

    from analogff.study.read.spec import Study
    from analogff.study.run.timelines import RuleTimeline

_MOST_IMAGES = 100


@dataclass(frozen=True)
class Timeline(Command):
    """Play a step of each rule on a chip with converters and buffers; train nothing."""

    study: Annotated[tyro.conf.Positional[Path], argument("STUDY.toml")]
    """The study file (TOML)."""
    out: Annotated[Path | None, argument("DIR")] = None
    """Folder of the figures; timelines/<name of the study> by default."""
    set: Settings = ()
    """A path of the study file and its value, such as pipeline.adcs_per_tile=32; may be given several times."""
    images: Annotated[int, argument("N")] = 2
    """Images of a step in the figures; the table has the batch of each rule."""

    def perform(self, console: "Console") -> int:
        """Print throughput, latency, load, memory and energy of each rule, and draw its timeline."""
        from analogff.cli.output import mistaken
        from analogff.figures.timeline import draw_timelines
        from analogff.study.results.timelines import print_timelines
        from analogff.study.run.engine import default_folder
        from analogff.support.console import say
        from analogff.support.mistakes import StudyError

        try:
            study, found, silent = self._play()
            folder = self.out or Path("timelines", default_folder(study).name)
            check_folder(folder)
        except StudyError as error:
            return mistaken(self.study, error.mistakes)
        except ArgumentError as error:
            return mistaken(error)
        print_timelines({timeline.label: timeline.summary for timeline in found}, console)
        if study.axes:
            first = ", ".join(f"{path} = {values[0]}" for path, values in study.axes.items())
            say(console, f"Swept paths are at their first value: {first}.")
        for label in silent:
            say(console, f"{label}: states no dataflow, so it is left out. Override `Rule.dataflows` to have it.")
        files = draw_timelines(folder, found)
        say(console, f"{len(files)} figure files in {folder}.")
        return OK

    def _play(self) -> "tuple[Study, list[RuleTimeline], list[str]]":
        from analogff.study.read.survival import read_surviving
        from analogff.study.run.stall import watched
        from analogff.study.run.timelines import timelines

        if not 1 <= self.images <= _MOST_IMAGES:
            raise ArgumentError(f"--images: Expected 1 to {_MOST_IMAGES}. Got {self.images}. Give 2, for example.")
        with watched(f"Reading {self.study}", say_error):
            study = read_surviving(self.study, self.set)
        return study, *timelines(study, self.images)
