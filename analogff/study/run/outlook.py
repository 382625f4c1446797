"""What a study would run, in sentences."""

from collections.abc import Iterator

from analogff.study.read.batches import oversized
from analogff.study.read.doubts import doubts
from analogff.study.read.spec import Study
from analogff.study.run.compute import check_compute
from analogff.study.run.plan import plan_runs
from analogff.study.run.tuning import explain, trial_study
from analogff.support.mistakes import StudyError


def outlook(study: Study) -> Iterator[str]:
    """Yield how many runs of what a study has, the trials before them, and what is doubtful.

    Doubtful are batches larger than the data, plug-ins that break a guarantee, and hardware that this machine lacks and
    a cluster may have.

    Args:
        study: The study.

    Raises:
        StudyError: If two of its runs are the same.
    """
    runs, settings = plan_runs(study), study.cases[0].settings
    rules = len({case.shown.label or case.shown.name for case in study.cases})
    swept = [f"{_count(len(values), 'value')} of {path}" for path, values in study.axes.items()]
    chips, seeds = _count(len(settings.chips), "chip"), _count(len(settings.seeds), "learning seed")
    parts = ", ".join([_count(rules, "rule"), *swept, chips, seeds])
    yield f"No mistakes. {study.name} has {_count(len(runs), 'run')}: {parts}."
    if study.tuning is not None:
        yield explain(trial_study(study, study.tuning), study.tuning)
    yield from oversized(study.cases, study.shapes)
    yield from doubts(study.cases, study.folder)
    try:
        check_compute(study.cases)
    except StudyError as error:
        yield str(error)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
