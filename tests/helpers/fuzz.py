"""Mutated study files: what to start from, how to change it, and what must come of each."""

import contextlib
import copy
import datetime
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from analogff.cli import main
from analogff.study.results.columns import Columns
from analogff.study.run import engine as study_run
from analogff.study.run.packing import pack
from analogff.study.run.plan import plan_runs
from analogff.study.settings import FIELDS
from analogff.training.epoch import NUMBERS

MOST_SECONDS = 5.0  # of this thread, so that neither a busy machine nor what other tests left running counts
SENTENCE = re.compile(r"(?P<path>\S.*?): Expected .+\. Got .+\.", re.DOTALL)
TOP = {
    "name": "tiny",
    "dataset": "digits",
    "layers": [8],
    "epochs": 1,
    "chips": 2,
    "train_images": 200,
    "validation_images": 50,
}
FF = {"name": "forward-forward", "label": "ours", "batch": 20, "slope": "assumed"}
BASES: list[dict[str, Any]] = [
    TOP | {"device": {"model": "ideal"}, "rule": [{"name": "backprop"}, FF]},
    TOP | {"seeds": [0, 3], "jitter": 1, "device": {"model": "unknown", "read_noise": 0.1}, "rule": [FF],
           "sweep": {"device.mismatch": [0.1, 0.2], "rule.learning_rate": [0.1, 0.01]}},
    TOP | {"layers": [8, 6], "chips": [0, 7], "normalization": "gain-control", "agc_max_gain": 10.0,
           "device": [{"model": "reram"}, {"model": "ideal"}], "rule": [{"name": "backprop", "through": "twin"}],
           "sweep": {"layers.1": [6, 7], "device.0.adc_bits": [4, 6]}},
    TOP | {"rule": [{"name": "weight-perturbation"}], "sweep": {"device": [{"model": "ideal"}, {"model": "pcm"}]}},
]  # fmt: skip
PATHS = [*FIELDS, "layers.0", "layers.²", "layers.٣", "layers.-1", "layers.9", "chips.0", "device.model", "device.0.model", "device.read_noise", "device.9.read_noise",
         "rule.name", "rule.0.name", "rule.label", "rule.0", "rule.learning_rate", "rule.9.learning_rate", "rule.²", "rule.", "device.", ".", "", "..", "a.b.c",
         "device.model.name", "name.x", "sweep.sweep", ".".join("a" * 3000), ".".join(["device"] + ["x"] * 40)]  # fmt: skip
DEEP = [[]]
for _ in range(40):
    DEEP = [DEEP]


class Written(str):
    """TOML as it is to stand in the file."""


NASTY = [0, -1, 1, 3, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**64, 1_000_000_000, 10**30, 10**4000, Written("9" * 5000),
         1e308, -1e308, 5e-324, 0.5, float("nan"), float("inf"), True, False, "", " ", "x" * 300, "x" * 5000, "/" + "y" * 300, "²", "../..", "\0",
         "[/on]", "no such file.py:Chip", "x" * 300 + ".py:Chip", ".py:", ":", "()", "local-fields(ideal)", "faulty(", "a.b:C",
         [], [[]], [True], [0], [1, 1], [""], [{}], {}, {"": 1}, {"model": 3}, {"name": [True]}, {"model": "ideal", "model ": 1},
         DEEP, Written("[" * 3000 + "]" * 3000), Written("{a = " * 500 + "1" + "}" * 500), datetime.date(1979, 5, 27), datetime.time(7)]  # fmt: skip
JUNK = st.sampled_from(NASTY).map(copy.deepcopy) | st.recursive(
    st.none().map(lambda _: 0) | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


def to_toml(value: Any) -> str:
    """Return a value as TOML on one line."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{to_toml(k)} = {to_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=isinstance(value, bool)).replace("\x7f", "\\u007f")
    return str(value)


def file_of(document: dict[str, Any]) -> str:
    """Return a document as a study file."""
    return "\n".join(f"{to_toml(k)} = {to_toml(v)}" for k, v in document.items()) + "\n"


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Return the path of every part of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [p for key, part in items for p in [(*path, key), *places(part, (*path, key))]]


@st.composite
def mutated(draw: Any) -> tuple[str, set[str]]:
    """Draw a study file with one or two changes, and what a sentence on it may name: the names at the top that changed."""
    document = copy.deepcopy(draw(st.sampled_from(BASES)))
    culprits: set[str] = set()
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        place = draw(st.sampled_from(places(document) or [("name",)]))
        culprits |= {place[0], change(document, place, draw)}
    if "sweep" in culprits:  # a path in it leads elsewhere, and an empty one leaves a device without a table
        culprits |= {"device", "rule", "layers"}
    return file_of(document), culprits


def change(document: dict[str, Any], place: tuple, draw: Any) -> str:
    """Change a part of a document, in place; return a name that is new at the top, if there is one."""
    here: Any = document
    for key in place[:-1]:
        here = here[key]
    how = draw(st.sampled_from(["replace", "replace", "wrap", "remove", "rename", "add"]))
    key = place[-1]
    if how == "replace":
        here[key] = draw(JUNK)
    elif how == "wrap":
        here[key] = draw(st.sampled_from([[here[key]], {"x": here[key]}, [here[key]] * 3]))
    elif how == "remove":
        del here[key]
    elif isinstance(here, dict):
        path = draw(st.sampled_from(PATHS) | st.text(max_size=8))
        here[path] = here.pop(key) if how == "rename" else draw(JUNK | st.lists(JUNK, min_size=1, max_size=3))
        return path if here is document else ""
    else:
        here.append(draw(JUNK))
    return ""


@st.composite
def garbled(draw: Any) -> tuple[str, set[str]]:
    """Draw a study file of which some characters are gone, doubled or others."""
    text = file_of(draw(st.sampled_from(BASES)))
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start, min(len(text), start + 30)))
    inserted = draw(st.text(max_size=5) | st.sampled_from(["\n[", '"', "[" * 2000, "a." * 2000, "=", "\ufeff", "\0"]))
    return text[:start] + inserted + text[end:], set()


def rehearse(study: Any, folder: Path, **_: Any) -> Any:
    """Do all of a run but its tasks: plan, pack, and put rows under the columns."""
    runs = plan_runs(study)
    pack(runs, study.shapes, workers=2, memory_gib=1.0, folder=str(study.folder))
    some = runs[:3] + runs[-3:]
    rows = {"run": [run.key for run in some], "epoch": [run.case.settings.epochs for run in some]}
    rows |= {name: np.zeros(len(some)) for name in (*NUMBERS, "wall_seconds")} | {"stopped_by": ["epochs"] * len(some)}
    columns = Columns(runs, {})
    columns.label(pa.table(rows), columns.schemas["results"])
    return study_run.Finished(folder, 0, ())


def verdict(text: str, culprits: set[str], folder: Path) -> str:
    """Run a study file as the command line does, and return what is wrong with how it took it; nothing, if all is well."""
    path = folder / "study.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    out, err, began = io.StringIO(), io.StringIO(), time.thread_time()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(["run", str(path), "--out", str(folder / "out"), "--workers", "0"])
        return "no exit"
    except SystemExit as stop:
        status, said = stop.code, err.getvalue()
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:500]
    if time.thread_time() - began > MOST_SECONDS:
        return f"took {time.thread_time() - began:.1f} s"
    if sorted(p.name for p in folder.iterdir()) != ["study.toml"]:
        return "something was written"
    if status == 0:
        return "" if not said else f"status 0, and yet: {said[:500]}"
    return _verdict_on_words(status, said, text, culprits)


def _verdict_on_words(status: Any, said: str, text: str, culprits: set[str]) -> str:
    first, *mistakes = said.rstrip().split("\n  ")
    if status != 2 or not first.endswith("so nothing was run.") or not mistakes:
        return f"status {status}: {said[:500]}"
    unclear = [line for line in mistakes if not SENTENCE.match(line)]
    if unclear or "Traceback" in said or len(said) > 20_000:
        return f"unclear: {(unclear or [said])[0][:500]}"
    if culprits and not _names_one(said, text, culprits):
        return f"{culprits} are not named: {said[:500]}"
    return ""


def _names_one(said: str, text: str, culprits: set[str]) -> bool:
    """Tell whether one of some names is said, or stands in the line that is."""
    numbered = re.search(r"at line (\d+)", said)
    line = text.split("\n")[int(numbered[1]) - 1] if numbered else ""
    return any(to_toml(name)[1:-1] in line or name in said or json.dumps(name)[1:-1][:100] in said for name in culprits)
