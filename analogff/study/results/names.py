"""Names in tables and figures: rules by the fewest distinguishing options, axes with units."""

import contextlib
import hashlib
import itertools
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, TypeVar

import pandas as pd

from analogff.data import title
from analogff.study.case import LINEAR_DIGITAL, NO_DEVICE, SAME_SIZE_DIGITAL
from analogff.study.results.device_names import short_reference, telling_names

_SHORT = {"forward-forward": "FF"}
_UNITS = {"seconds": "s", "joules": "J", "siemens": "S", "volts": "V", "kelvin": "K", "ohms": "Ω"}
_ACRONYMS = {"adc": "ADC", "dac": "DAC", "ir": "IR"}
ANY = "any"
"""What stands for the value of a swept path in a row that has no such path."""
BOUND = "(oracle, bound)"
BOUNDS = ("oracle", "perfect")
"""Values of a rule's options with which it uses the simulator's truth."""
_CONTROL = re.compile(rf"\(control: (?:{NO_DEVICE}|{LINEAR_DIGITAL}|{SAME_SIZE_DIGITAL})\)$")
LONGEST_NAME = 100
"""Greatest length of a file name without its ending, in bytes; disks allow 255, some tools less."""


Text = TypeVar("Text", str, pd.Series)


def variant_labels(frame: pd.DataFrame, swept: Sequence[str]) -> pd.Series:
    """Return for each row the label of its rule variant.

    A label of the study file is used as given. Other variants of a rule are named by the fewest options that
    distinguish them, in the order of the columns. Swept options are left out, since figures show them otherwise. A rule
    that uses the simulator's truth is marked as a bound everywhere, and a control as one.

    Args:
        frame: Results, with the columns ``rule`` and ``rule.<option>``, and ``label`` where some have one.
        swept: The swept paths.
    """
    given = frame["label"] if "label" in frame else pd.Series(None, index=frame.index, dtype=object)
    labels = _told_apart(frame[given.isna()], swept)
    own = frame[given.notna()]
    bound = own.filter(like="rule.").isin(BOUNDS).any(axis=1).map({True: f" {BOUND}", False: ""})
    taken = set(labels)  # names taken by variants without a label, which must differ from given labels
    names = {}
    for pair in dict.fromkeys(zip(given.dropna(), bound, strict=True)):
        name = "".join(pair)
        while {name, name.removesuffix(pair[1])} & taken or is_bound(name) != bool(pair[1]) or is_control(name):
            name = f"{name.removesuffix(pair[1])} (label){pair[1]}"
        names[pair] = name
        taken.add(name)
    named = pd.Series([names[pair] for pair in zip(given.dropna(), bound, strict=True)], index=own.index, dtype=object)
    labels = pd.concat([labels, named]).loc[frame.index]
    control = controls_in(frame)
    return labels.where(control.isna(), control_label(labels, control.astype(str)))


def plain_labels(frame: pd.DataFrame, swept: Sequence[str]) -> list[str]:
    """Return the labels of `variant_labels` as a study file may give them, without the mark of a bound."""
    return [label.removesuffix(BOUND).rstrip() for label in variant_labels(frame, swept)]


def _told_apart(frame: pd.DataFrame, swept: Sequence[str]) -> pd.Series:
    hidden = {f"rule.{path.rpartition('.')[2]}" for path in swept if path.startswith("rule.")} | set(swept)
    options = [c for c in map(str, frame) if c.startswith("rule.") and c not in hidden]
    labels = pd.Series("", index=frame.index, dtype=object)
    for rule, rows in frame.groupby("rule", sort=False):
        telling = _fewest_telling(rows[options])
        variants = [same for _, same in rows.groupby(telling or ["rule"], dropna=False, sort=False)]
        full = [_label(str(rule), same.iloc[0], telling, options) for same in variants]
        words = [option for option in telling if not pd.api.types.is_numeric_dtype(rows[option])]
        brief = [_label(str(rule), same.iloc[0], words, options) for same in variants]
        for same, long, short in zip(variants, full, brief, strict=True):
            labels[same.index] = short if brief.count(short) == 1 else long
    return labels


def shorten(frame: pd.DataFrame, swept: Sequence[str]) -> pd.DataFrame:
    """Return a frame in which swept whole devices have their short names, and known data sets their titles."""
    texts = [path for path in swept if pd.api.types.is_string_dtype(frame[path])]
    named = {path: frame[path].map(title if path == "dataset" else _names(frame[path])) for path in texts}
    return frame.assign(**named)


def _names(column: pd.Series) -> dict[str, str]:
    return telling_names(list(column.dropna().unique()), lambda key, value: value_label(key, float(value)))


def is_bound(label: str) -> bool:
    """Return whether a label marks a bound, which hardware could not reach."""
    return label.endswith(BOUND)


def control_label(label: Text, control: Text) -> Text:
    """Return the label of a variant's control, of one or of many."""
    return label + " (control: " + control + ")"


def is_control(label: str) -> bool:
    """Return whether a label marks a control, which has no device."""
    return _CONTROL.search(label) is not None


def controls_in(frame: pd.DataFrame) -> pd.Series:
    """Return the control that each row is of; undefined for most rows, and for all of a study without controls."""
    return frame["control"] if "control" in frame else pd.Series(None, index=frame.index, dtype=object)


def axis_label(path: str) -> str:
    """Return a path of the study file as the label of an axis.

    Example:
        >>> axis_label("device.1.read_noise"), axis_label("wait_seconds")
        ('read noise (device 1)', 'wait / s')
    """
    *owner, name = path.split(".")
    words = [_ACRONYMS.get(word, word) for word in name.split("_")]
    unit = _UNITS.get(words[-1])
    text = " ".join(words[:-1] if unit and len(words) > 1 else words)
    of = f" ({' '.join(owner)})" if len(owner) > 1 else ""
    return f"{text}{of}" + (f" / {unit}" if unit else "")


def value_label(path: str, value: Any) -> str:
    """Return one value of a swept path as text, with the path's name before a number.

    An undefined value is that of a row which has no such path, as controls have no device: it is of any value.

    Example:
        >>> value_label("device.family", "sigmoid"), value_label("device.adc_bits", 6.0), value_label("layers", "32-32")
        ('sigmoid', 'ADC bits = 6', 'layers = 32-32')
        >>> value_label("wait_seconds", float("nan"))
        'any wait'
    """
    if isinstance(value, str) and not re.match(r"\[|[\d.-]+$", value):
        return value
    name, _, unit = axis_label(path).partition(" / ")
    if pd.isna(value):
        return f"{ANY} {name}"
    text = f"{value:g}" if isinstance(value, float) else value
    return f"{name} = {text} {unit}".rstrip()


def file_name(*parts: str) -> str:
    """Join parts to a file name that needs no quoting and fits every disk.

    Different parts may give the same name, since punctuation is lost.

    Example:
        >>> file_name("error_vs_epoch", "FF probed", "read noise = 0.1", "σ = 1")
        'error_vs_epoch-FF_probed-read_noise_0.1-σ_1'
        >>> len(file_name("x" * 300))
        100
    """
    plain = (re.sub(r"[^\w.+-]+", "_", unicodedata.normalize("NFC", part)).strip("_.") for part in parts)
    name = "-".join(filter(None, plain))
    if len(name.encode()) <= LONGEST_NAME:
        return name
    start = name.encode()[: LONGEST_NAME - 9].decode(errors="ignore")
    return f"{start}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _fewest_telling(options: pd.DataFrame) -> list[str]:
    """Return the smallest set of columns that distinguishes as many rows as all of them do, words before numbers."""
    differing = [c for c in map(str, options) if options[c].nunique(dropna=False) > 1]
    differing.sort(key=lambda c: pd.api.types.is_numeric_dtype(options[c]))
    distinct = len(options.drop_duplicates())
    for size in range(len(differing)):
        for chosen in itertools.combinations(differing, size):
            if chosen and len(options[list(chosen)].drop_duplicates()) == distinct:
                return list(chosen)
    return differing


def _label(rule: str, row: pd.Series, telling: Sequence[str], options: Sequence[str]) -> str:
    words = [_SHORT.get(rule) or short_reference(rule.replace("-", " "))]
    words += [_option(name, row[name]) for name in telling if row[name] not in BOUNDS]
    return " ".join(words + [BOUND] * bool(row[list(options)].isin(BOUNDS).any()))


def _option(name: str, value: object) -> str:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):  # a number in a column of words
            return _option(name, float(value))
        return value
    name = name.removeprefix("rule.").replace("_", " ")
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
