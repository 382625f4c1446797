"""The public conformance suite: tells a device's author, in sentences, whether it honors the contract."""

import dataclasses
import inspect
import traceback
from collections.abc import Collection
from typing import Any

from analogff.device.checks import CHECKS, Check, Finding, Subject
from analogff.device.errors import ContractError
from analogff.device.numerics.precision import single_precision
from analogff.device.protocol import Device
from analogff.support.process_state import PatchedError, standard

_BEFORE_OTHERS = ("construction", "shapes")
"""What cannot be built, or does not answer, cannot be tried any further."""


@dataclasses.dataclass(frozen=True)
class Report:
    """What the suite found out about a device."""

    device: str
    """Name of the class."""
    findings: tuple[Finding, ...]
    """In the order of the suite."""

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(finding.passed for finding in self.findings)

    def lines(self) -> list[str]:
        """Return one line a finding, and the verdict."""
        failed = sum(not finding.passed for finding in self.findings)
        verdict = f"breaks {failed} of" if failed else "honors all"
        lines = [f"{'ok  ' if f.passed else 'FAIL'}  {f.name}: {f.sentence}" for f in self.findings]
        return [*lines, f"{self.device} {verdict} {len(self.findings)} checks of the contract."]


@single_precision()
def check_device(
    model: type[Device], *, n_in: int = 16, n_out: int = 8, only: Collection[str] | None = None, **parameters: Any
) -> Report:
    """Try a device class against the contract of `Device`.

    Every check works on freshly fabricated chips, with signals and weight changes from generators of its own.
    What passes is still only a device that keeps its word, not one that models its physics well.

    Args:
        model: The class.
        n_in: Input lines to build it with; other than ``n_out``, so that mixed-up axes show.
        n_out: Output lines to build it with.
        only: Names of the checks to make; all of them if None.
        parameters: Further arguments of the class, which set the non-idealities to try.

    Example:
        >>> from analogff.device import Digital, check_device
        >>> check_device(Digital).passed
        True
    """
    subject = Subject(model, n_in, n_out, parameters)
    findings: list[Finding] = []
    raised: dict[str, str] = {}
    try:
        with standard(model.__name__, seed=0):  # as learning does
            for check in CHECKS:
                if only is not None and check.name not in only:
                    continue
                findings += _try(check, subject, raised)
                if check.name in _BEFORE_OTHERS and not all(finding.passed for finding in findings):
                    break
    except PatchedError as error:
        findings.append(Finding("process", False, str(error)))
    return Report(model.__name__, tuple(findings))


def _try(check: Check, subject: Subject, raised: dict[str, str]) -> list[Finding]:
    """Run one check; a device that raises is a finding too, told in full by the first check that met the error."""
    try:
        return check.run(subject)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a device may exit, too
        got = f"{type(error).__name__}: {error} ({_where(error, subject.model)})"
        first = raised.setdefault(got, check.name)
        if first != check.name:
            sentence = f"Expected {check.purpose}. Got the error of {first} again. Mend that first."
            return [Finding(check.name, False, sentence)]
        sentence = f"Expected {check.purpose}. Got {got}. Mend it there."
        if isinstance(error, ContractError) and str(error).startswith("Expected "):
            sentence = str(error)
        return [Finding(check.name, False, sentence)]


def _where(error: BaseException, model: type[Device]) -> str:
    """Return file and line of the author's last step before the error, else of the last step."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == inspect.getfile(model)]
    frame = (own or frames)[-1]
    return f"{frame.filename}, line {frame.lineno}"
