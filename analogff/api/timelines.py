"""Timelines of a study, from Python."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.style import styled
from analogff.figures.timeline import draw_timeline, table
from analogff.study.results.timelines import summary_table
from analogff.study.run.timelines import RuleTimeline


class Timelines:
    """What a chip does when, for inference and each rule of a study; see `Study.timelines`.

    Args:
        found: One of each.
    """

    def __init__(self, found: Sequence[RuleTimeline]):
        self._found = {timeline.label: timeline for timeline in found}
        self.rules = list(self._found)
        """What there is: `inference`, and the names of the rules in tables."""

    @property
    def table(self) -> pd.DataFrame:
        """Throughput, latency, utilization, memory and energy of each, in SI units."""
        return summary_table({label: timeline.summary for label, timeline in self._found.items()})

    def events(self, rule: str) -> pd.DataFrame:
        """Return every use of a resource by a few images."""
        return table(rule, self._of(rule).log)

    def plot(self, rule: str) -> Figure:
        """Draw these as a Gantt chart."""
        with styled():
            return draw_timeline(rule, self._of(rule).log).figure

    def _of(self, rule: str) -> RuleTimeline:
        if rule not in self._found:
            raise ValueError(f"Expected one of {', '.join(self.rules)}. Got {rule!r}. Take one of them.")
        return self._found[rule]

    def _repr_html_(self) -> str:
        shown = ["rule", "samples_per_second", "latency_seconds", "busiest", "buffer_bytes", "total_joules"]
        return self.table[shown].to_html(index=False, float_format="{:.3g}".format)
