"""Plug-in files of a study, tried where the end of a process ends nothing else."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analogff.study.read.document import parse_settings, read_document
from analogff.study.read.doubts import doubts
from analogff.study.read.spec import read_study
from analogff.support.mistakes import Mistake, StudyError
from analogff.support.rehearsal import End, rehearse

_MARK = ".py:"


def require_survivors(path: Path, settings: Sequence[str]) -> None:
    """Refuse a study of which a plug-in file ends the process that tries it, by a fault or an exit in C.

    It is read once more, as it is read here, but in a forked child; where no file is named, nothing is done.

    Args:
        path: The study file.
        settings: As those of `read_study`.

    Raises:
        StudyError: If one does, or the file is none.
    """
    document = [read_document(path), parse_settings(settings)]
    if _MARK in json.dumps(document, default=str) and (end := rehearse(lambda: _try(path, settings))):
        raise StudyError([mistake_of(end)])


def mistake_of(end: End) -> Mistake:
    """Return the mistake of code that ends its process."""
    expected = "code that leaves the process running"
    return Mistake(end.who, expected, f"its end with {end.how} while it was tried", "Mend it, or take it out.")


def _try(path: Path, settings: Sequence[str]) -> Any:
    study = read_study(path, settings)
    return list(doubts(study.cases, study.folder))
