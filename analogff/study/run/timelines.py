"""The timeline of each rule of a study: what a step has the study's chips do, and how long it takes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import cast

import pandas as pd

from analogff.catalog import resolve_rule
from analogff.device import Datasheet
from analogff.study.case import Case
from analogff.study.read.spec import Study
from analogff.study.results.names import variant_labels
from analogff.study.run.build import fabricate
from analogff.support.mistakes import Mistake, StudyError, of_plug_in
from analogff.timeline import Dataflow, Hardware, Log, Summary, inference, play, summarize_training

INFERENCE = "inference"
_STEPS = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuleTimeline:
    """What became of one rule, or of inference."""

    label: str
    """Name in tables and figures."""
    summary: Summary
    """In steady state, with the rule's own batch."""
    log: Log
    """The events of a few images."""
    values: Mapping[str, object]
    """Values of the swept paths."""


def timelines(study: Study, images: int) -> tuple[list[RuleTimeline], list[str]]:
    """Play a step of inference and of each rule, at the first value of every swept path.

    Args:
        study: The study.
        images: Images of each step that is shown.

    Returns:
        One timeline for inference and each rule; and the labels of rules that state no dataflow.

    Raises:
        StudyError: If a rule cannot say what a step has a chip do.
    """
    cases = [case for case in study.cases if not case.control and _is_first(case, study)]
    if any(case.settings.convolves for case in cases):
        expected, got = "layers whose weights are read once for each input", "a convolution"
        raise StudyError([Mistake("layers", expected, got, "Write widths for a timeline; a run counts reads of both.")])
    labels = variant_labels(pd.DataFrame([case.labels for case in cases]), list(study.axes))
    found, silent = [_of_inference(cases[0], study, images)], []
    for label, case in zip(labels, cases, strict=True):
        timeline = _of_rule(label, case, study, images)
        if timeline is None:
            silent.append(label)
        else:
            found.append(timeline)
    return found, silent


def _is_first(case: Case, study: Study) -> bool:
    return all(value is None or value == study.axes[path][0] for path, value in case.values.items())


def _of_inference(case: Case, study: Study, images: int) -> RuleTimeline:
    shapes, hardware = _chip(case, study, learns=False)
    return _played(INFERENCE, case, hardware, [inference(shapes, case.rule.options["batch"])], images)


def _of_rule(label: str, case: Case, study: Study, images: int) -> RuleTimeline | None:
    shapes, hardware = _chip(case, study, learns=True)
    rule = resolve_rule(case.rule.name, study.folder)
    options = rule.Options(**case.rule.options)
    if options.write != "digital":  # dataflows are those of an optimizer beside the chip
        advice = 'Write write = "digital", or leave the rule out with --set.'
        got = f"{case.rule.name} with write = {options.write!r}"
        raise StudyError([Mistake("rule", "rules with digital writes, of which a timeline knows", got, advice)])
    try:
        flows = tuple(rule.dataflows(options, shapes, options.batch))
        return _played(label, case, hardware, flows, images) if flows else None
    except Exception as error:
        expected = f"{case.rule.name} to say what a step has a chip do"
        raise StudyError([of_plug_in(error, "rule", expected)]) from error


def _played(label: str, case: Case, hardware: Hardware, flows: Sequence[Dataflow], images: int) -> RuleTimeline:
    """Return the timeline of a training in parts, with the events of the last part."""
    few = dataclasses.replace(flows[-1], batch=images)  # of the rule's own batch, among which work is shared
    log = play(few, hardware, _STEPS)
    return RuleTimeline(label=label, summary=summarize_training(flows, hardware), log=log, values=case.values)


def _chip(case: Case, study: Study, *, learns: bool) -> tuple[list[tuple[int, int]], Hardware]:
    """Return inputs and outputs of each layer, and the hardware of the study's first chip."""
    data, settings = study.shapes[case.settings.data], case.settings
    chips = fabricate([case], data.n_in, data.classes, settings.chips[:1], study.folder, data.image)
    sheets = [cast(Datasheet, device.datasheet) for device in chips.devices]
    shapes = [(sheet.n_in, sheet.n_out) for sheet in sheets]
    rule = resolve_rule(case.rule.name, study.folder)
    options = rule.Options(**case.rule.options)
    kept = rule.kept_bytes(options, shapes, options.batch) if learns else 0
    return shapes, Hardware.of(sheets, settings.pipeline, settings.system, kept)
