"""Whether this machine has the hardware that a study asks for."""

from collections.abc import Iterable

import torch

from analogff.study.case import Case
from analogff.support.mistakes import Mistake, StudyError


def check_compute(cases: Iterable[Case]) -> None:
    """Compare what cases compute on with this machine.

    Args:
        cases: The cases to be run.

    Raises:
        StudyError: If they need a CUDA device, and there is none.
    """
    if any(case.settings.compute == "cuda" for case in cases) and not torch.cuda.is_available():
        advice = 'Write compute = "cpu", or give the --scheduler of a cluster that has them.'
        raise StudyError([Mistake("compute", "a CUDA device on this machine", "none", advice)])
