"""A study as an object."""

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from analogff.api.given import Named, tables
from analogff.api.html import table_html
from analogff.api.results import Results
from analogff.api.run import finish
from analogff.api.timelines import Timelines
from analogff.data import title
from analogff.network import layer_text
from analogff.study.read.document import Document, read_document, unusable
from analogff.study.read.spec import resolve_study
from analogff.study.read.survival import require_survivors
from analogff.study.run.plan import plan_runs
from analogff.study.run.timelines import timelines
from analogff.support.mistakes import StudyError
from analogff.support.plain import plain


class Study:
    """A study without mistakes: what a study file holds, from Python. It can be run, and resumes.

    Every keyword but ``folder`` is a field of a study file, with the same meaning.

    Args:
        device: The device of every layer, or one for each: a name, or a table such as
            ``{"model": "unknown", "read_noise": 0.1}``.
        rule: The rules to compare: names, or tables such as ``{"name": "backprop", "through": "twin"}``.
        sweep: Values by path: ``{"device.read_noise": [0.0, 0.1]}``.
        folder: Where relative paths start; the working directory by default.
        fields: The others: ``name``, ``dataset``, ``layers``, ``epochs``, ``chips``, ...

    Raises:
        StudyError: With every mistake.

    Example:
        >>> Study(name="bits", layers=[500], epochs=3, chips=4, device="unknown", rule=["forward-forward"])
        Study('bits': 4 runs)
    """

    def __init__(
        self,
        *,
        device: Named | Sequence[Named],
        rule: Named | Sequence[Named],
        sweep: Mapping[str, Sequence[Any]] | None = None,
        folder: str | Path = ".",
        **fields: Any,
    ):
        document = plain(fields) | {"device": tables(device, "model"), "rule": _listed(tables(rule, "name"))}
        self._resolve(document | ({"sweep": plain(sweep)} if sweep else {}), Path(folder))

    @classmethod
    def read(cls, path: str | Path, set: Iterable[str] = ()) -> "Study":
        """Read a study file.

        Args:
            path: The file.
            set: ``path=value`` that overrule it.

        Raises:
            StudyError: With every mistake.
        """
        study = cls.__new__(cls)
        study._resolve(read_document(Path(path)), Path(path).resolve().parent, tuple(set))
        return study

    def _resolve(self, document: Document, folder: Path, settings: tuple[str, ...] = ()) -> None:
        self._given = copy.deepcopy(document), folder, settings
        if mistakes := list(unusable(document)):
            raise StudyError(mistakes)
        require_survivors(document, folder.resolve(), settings)
        self._study = resolve_study(document, folder.resolve(), settings)
        self.name: str = self._study.name
        """Name of the study."""

    @property
    def document(self) -> Document:
        """Its fields, as a study file has them; a copy."""
        return copy.deepcopy(self._study.document)

    def run(self, *, out: str | Path | None = None, workers: int | None = None, quiet: bool = False) -> Results:
        """Run it, or resume it; see `analogff.run`.

        Devices, rules and data that were edited since the study was made are read anew.
        """
        self._resolve(*self._given)
        return finish(self._study, out=out, workers=workers, quiet=quiet)

    def timelines(self, *, images: int = 2, **pipeline: Any) -> Timelines:
        """Play a step of each rule on a chip with converters, buffers and digital periphery; train nothing.

        Args:
            images: Images of a step in figures.
            pipeline: Parameters of the chip that differ from the study's table ``pipeline``, such as
                ``adcs_per_tile=32``; see `analogff.timeline.Architecture`.

        Raises:
            StudyError: If such a parameter is wrong.
        """
        document, folder, settings = copy.deepcopy(self._given)
        own = tuple(f"pipeline.{name}={json.dumps(plain(value))}" for name, value in pipeline.items())
        found, _ = timelines(resolve_study(document, folder.resolve(), settings + own), images)
        return Timelines(found)

    def __repr__(self) -> str:
        return f"Study({self.name!r}: {len(plan_runs(self._study))} runs)"

    def _repr_html_(self) -> str:
        case = self._study.cases[0]
        rows = {
            "data set": title(case.settings.dataset),
            "layers": ", ".join(map(layer_text, case.settings.layers)),
            "devices": ", ".join(dict.fromkeys(d.reference for c in self._study.cases for d in c.devices)),
            "rules": ", ".join(dict.fromkeys(c.rule.label or c.rule.name for c in self._study.cases)),
            "sweep": ", ".join(f"{len(values)} x {path}" for path, values in self._study.axes.items()) or "none",
            "runs": str(len(plan_runs(self._study))),
        }
        return table_html(self.name, rows)


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, dict) else given
