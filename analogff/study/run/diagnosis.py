"""Looks at what a rule asks of its chips along training, taken on a copy of both."""

import copy

import pyarrow as pa

from analogff.data import Dataset
from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.study.measurements.diagnostics import DIAGNOSTICS
from analogff.study.measurements.updates import Update, compare, follow, in_common, true_rule, updates
from analogff.study.run.build import build
from analogff.study.task import Task
from analogff.training.checkpoint import restore, state_of
from analogff.training.progress import Progress, Upcoming


class Diagnosis:
    """Looks every few steps, and holds the rows until they are taken.

    A second bank of chips with a rule of its own is brought to the state of the first one, as from a checkpoint, and
    tries the step that comes next. So nothing of the first one changes: no weight, noise, draw, register or count.

    Args:
        task: The runs; its settings say how often.
        data: Their data.
        rule: The rule that learns; it is only looked at.
        chips: Its chips.
    """

    def __init__(self, task: Task, data: Dataset, rule: Rule, chips: Chips):
        case = task.runs[0].case
        self.chosen = None if case.trial or case.control else case.settings.diagnostics
        self.task, self.data, self.rule, self.chips = task, data, rule, chips
        self._copy: tuple[Rule, Chips, Rule | None] | None = None
        self._rows: list[pa.Table] = []

    def look(self, at: Upcoming) -> None:
        """Look before a step, if it is time."""
        if self.chosen is None or at.step % self.chosen.every:
            return
        asked, true = self._updates(at, self.chosen.repeats)
        known = set(in_common(true))
        for layer in in_common(asked):
            found = compare(asked, true if layer in known else [], [layer])
            numbers = {name: getattr(found, name).cpu().numpy() for name in ("cosine", "norm_ratio", "snr")}
            of_look = {"step": at.step, "images": at.images_before, "layer": layer + 1}
            count = len(self.task.runs)
            runs = {"run": [run.key for run in self.task.runs]} | {n: [v] * count for n, v in of_look.items()}
            self._rows.append(pa.table(runs | numbers))

    def take(self) -> dict[str, pa.Table]:
        """Return the rows since the last call, as tables by name; none if there are none."""
        rows, self._rows = self._rows, []
        return {DIAGNOSTICS.name: pa.concat_tables(rows)} if rows else {}

    def _updates(self, at: Upcoming, times: int) -> tuple[list[Update], list[Update]]:
        """Return what steps ask for, without steps that ask for nothing, and what they would truly."""
        rule, chips, truth = self._made()
        state = state_of(self.rule, self.chips, Progress())
        restore(copy.deepcopy(state), rule, chips)
        rule.advance(at.progress)
        if truth is not None:
            follow(truth, rule)
            truth.advance(at.progress)
        asked = updates(rule, at.images, at.labels, times)
        true = [] if truth is None else updates(truth, at.images, at.labels, times)
        asked = [update for update in asked if update]
        return (asked if len(asked) > 1 else []), true

    def _made(self) -> tuple[Rule, Chips, Rule | None]:
        """Return the copy, made when it is first needed."""
        if self._copy is None:
            rule, chips = build(self.task, self.data)
            chips.ledger.record_divergence(chips.chips, self.data.train.images.device)
            self._copy = rule, chips, true_rule(rule, chips)
        return self._copy
