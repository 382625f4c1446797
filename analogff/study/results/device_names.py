"""Short names of devices: the fewest words that distinguish them, never a number alone."""

import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

_WRAPPED = re.compile(r"([\w.-]+)\((.+)\)")
Part = dict[str, str]
"""A swept value as words by key; the model has no key."""


def telling_names(values: Sequence[str], describe: Callable[[str, str], str]) -> dict[str, str]:
    """Return a short name for each value ``model, key = value, ...``; the value itself if no name distinguishes it.

    The name is the word of a key that all values share, or else the last word that distinguishes a value, or else all
    such words. The model precedes it if another name equals the model. Values that share words get the fewest
    distinguishing numbers.

    Args:
        values: The values, all different.
        describe: Returns the text for a number, from its key and value.

    Example:
        >>> def name(*values):
        ...     return list(telling_names(values, lambda key, value: f"{key} {value}").values())
        >>> name("unknown, family = sigmoid, adc_bits = 6", "unknown, family = relu, adc_bits = 6", "pcm, adc_bits = 6")
        ['sigmoid', 'relu', 'pcm']
        >>> name("unknown, family = sigmoid, adc_bits = 6", "unknown, family = relu, adc_bits = 8", "ideal")
        ['sigmoid', 'relu', 'ideal']
        >>> name()
        []
        >>> name("500", "500-500")
        ['500', '500-500']
        >>> name("ideal", "reram, adc_bits = 6", "reram, preset = hfo2, adc_bits = 6")
        ['ideal', 'reram', 'reram, hfo2']
        >>> name("ideal", "reram, adc_bits = 6", "reram, adc_bits = 8")
        ['ideal', 'reram, adc_bits 6', 'reram, adc_bits 8']
        >>> name("reram, adc_bits = 6, drift = 0.1", "reram, adc_bits = 8, drift = 0.2")
        ['adc_bits 6', 'adc_bits 8']
        >>> name("chips/mine.py:Chip", "lab.devices:Other", "measured, file = data/a b.csv")
        ['Chip', 'Other', 'measured']
        >>> name("data/a b.csv", "data/a[b].csv")
        ['a b.csv', 'a[b].csv']
        >>> name("old/mine.py:Chip", "new/mine.py:Chip", "ideal")
        ['old/mine.py:Chip', 'new/mine.py:Chip', 'ideal']
    """
    if not values:  # the axis affects none of the remaining runs
        return {}
    short = _without_folders(values)
    parts = [dict(map(_key_and_value, _split(value))) for value in short]
    numbers = [{key: said for key, said in part.items() if key and _is_number(said)} for part in parts]
    words = [
        {key: said for key, said in part.items() if key not in of} for part, of in zip(parts, numbers, strict=True)
    ]
    whole = [", ".join(_without(part, _everywhere(words)).values()) for part in words]
    alike = [*_by_last_word(words), whole]
    longer = (_with_numbers(names, numbers, describe) for names in alike)
    given = next((names for names in itertools.chain(_by_one_word(words), alike, longer) if _tell(names)), short)
    return dict(zip(values, given, strict=True))


def _without_folders(values: Sequence[str]) -> list[str]:
    """Return values with short classes and file names, if all remain distinct."""
    for keep_file in (False, True):
        short = [", ".join(_short(part, keep_file) for part in _split(value)) for value in values]
        if _tell(short):
            return short
    return list(values)


def _short(part: str, keep_file: bool) -> str:
    key, equals, said = part.rpartition(" = ")
    return f"{key}{equals}{short_reference(said, keep_file)}"


def short_reference(text: str, keep_file: bool = False) -> str:
    """Return a reference to a class, or the path of a file, without its folders.

    Args:
        text: Any text; other texts are returned unchanged.
        keep_file: Whether a class keeps its file or module.

    Example:
        >>> short_reference("chips/mine.py:Chip"), short_reference("chips/mine.py:Chip", keep_file=True)
        ('Chip', 'mine.py:Chip')
        >>> short_reference("local-fields(lab.chips:Chip)"), short_reference("data/a b.csv"), short_reference("on/off")
        ('local-fields(Chip)', 'a b.csv', 'on/off')
    """
    if wrapped := _WRAPPED.fullmatch(text):
        return f"{wrapped[1]}({short_reference(wrapped[2], keep_file)})"
    place, _, name = text.rpartition(":")
    if name.isidentifier() and (place.endswith(".py") or place.replace(".", "").isidentifier()):
        return f"{_base(place)}:{name}" if keep_file else name
    return _base(text) if PurePath(text).suffix else text


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _by_one_word(words: list[Part]) -> list[list[str]]:
    """Return, for each key that all values have, their words."""
    return [[part.get(key, "") for part in words] for key in words[0]]


def _by_last_word(words: list[Part]) -> list[list[str]]:
    """Return the last words that remain as more words shared by several values are kept."""
    items = {item for part in words for item in part.items()}
    undisputed = {(key, said) for key, said in items if key and all(part.get(key, said) == said for part in words)}
    shared = {item for item in undisputed if sum(item in part.items() for part in words) > 1}
    commons = (undisputed, shared, _everywhere(words))
    last = [[next(reversed(_without(part, common).values()), "") for part in words] for common in commons]
    return [
        [_beside(part.get("", name), name, names) for part, name in zip(words, names, strict=True)] for names in last
    ]


def _beside(model: str, name: str, names: list[str]) -> str:
    return f"{model}, {name}" if model != name and model in names else name


def _with_numbers(names: list[str], numbers: list[Part], describe: Callable[[str, str], str]) -> list[str]:
    """Return names; those shared by several values get the fewest numbers that distinguish them."""
    shared = [numbers[n] if names.count(name) > 1 else {} for n, name in enumerate(names)]
    said_of = {key: {part.get(key) for part in shared if part} for key in dict.fromkeys(itertools.chain(*shared))}
    keys = [key for key, said in said_of.items() if len(said) > 1]  # others would only multiply the combinations
    names = names if len(set(names)) > 1 else [""] * len(names)
    for size in range(1, len(keys) + 1):
        for chosen in itertools.combinations(keys, size):
            said = [[describe(key, part[key]) for key in chosen if key in part] for part in shared]
            longer = [", ".join(filter(None, [name, *texts])) for name, texts in zip(names, said, strict=True)]
            if _tell(longer):
                return longer
    return names


def _everywhere(words: list[Part]) -> set[tuple[str, str]]:
    return set.intersection(*(set(part.items()) for part in words)) if len(words) > 1 else set()


def _without(part: Part, common: set[tuple[str, str]]) -> Part:
    return {key: said for key, said in part.items() if (key, said) not in common}


def _tell(names: list[str]) -> bool:
    return all(names) and len(set(names)) == len(names)


def _split(value: str) -> list[str]:
    """Return the parts of a device ``model, key = value, ...``; any other text is one part."""
    parts = value.split(", ")
    return parts if all(" = " in part for part in parts[1:]) else [value]


def _key_and_value(text: str) -> tuple[str, str]:
    key, _, value = text.rpartition(" = ")
    return key, value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
