"""Plug-in files of a study, tried where the end of a process ends nothing else."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analogff.study.read.document import Document, parse_settings, read_document
from analogff.study.read.doubts import doubts
from analogff.study.read.spec import Study, resolve_study
from analogff.support.mistakes import Mistake, StudyError
from analogff.support.rehearsal import End, rehearse

_MARK = ".py:"


def read_surviving(path: Path, settings: Sequence[str] = ()) -> Study:
    """Read a study file as `read_study` does, once its plug-in files have survived a trial.

    Raises:
        StudyError: With every mistake, before anything is run or written.
    """
    document, folder = read_document(path), path.resolve().parent
    require_survivors(document, folder, settings)
    return resolve_study(document, folder, settings)


def require_survivors(document: Document, folder: Path, settings: Sequence[str]) -> None:
    """Refuse a study of which a plug-in file ends the process that tries it, by a fault or an exit in C.

    It is resolved once more, as it is resolved here, but in a forked child; where no file is named, nothing is done.

    Args:
        document: The study file, as read.
        folder: Where its relative paths start.
        settings: As those of `read_study`.

    Raises:
        StudyError: If one does, or a setting is none.
    """
    named = json.dumps([document, parse_settings(settings)], default=str)
    if _MARK in named and (end := rehearse(lambda: _try(document, folder, settings))):
        raise StudyError([mistake_of(end)])


def mistake_of(end: End) -> Mistake:
    """Return the mistake of code that ends its process."""
    expected = "code that leaves the process running"
    return Mistake(end.who, expected, f"its end with {end.how} while it was tried", "Mend it, or take it out.")


def _try(document: Document, folder: Path, settings: Sequence[str]) -> Any:
    study = resolve_study(document, folder, settings)
    return list(doubts(study.cases, study.folder))
