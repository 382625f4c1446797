"""Checkpoints that restore a run exactly: chips, clocks, counters, optimizers and the order of the data."""

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import torch

from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.support.atomic import replacing
from analogff.training.progress import Progress


def state_of(rule: Rule, chips: Chips, progress: Progress) -> dict[str, Any]:
    """Return all that a run is between two epochs, as tensors and plain data.

    Args:
        rule: The rule.
        chips: Its chips.
        progress: What `train` was given.
    """
    return {
        "chips": chips.state_dict(),
        "ledger": chips.ledger.state_dict(),
        "rule": rule.state_dict(),
        "requested": [register.state_dict() for register in chips.requested],
        "scales": [scale.state_dict() for scale in chips.scales],
        "progress": dataclasses.asdict(progress),
    }


def restore(state: dict[str, Any], rule: Rule, chips: Chips) -> Progress:
    """Bring chips and a rule, fresh from the same seeds and options, to where `state_of` found others.

    Returns:
        Where to go on; hand it to `train`.
    """
    chips.load_state_dict(state["chips"])
    chips.ledger.load_state_dict(state["ledger"])
    rule.load_state_dict(state["rule"])
    for register, kept in zip(chips.requested, state["requested"], strict=True):
        register.load_state_dict(kept)
    for scale, kept in zip(chips.scales, state.get("scales", ()), strict=False):  # chips kept by version 4 have none
        scale.load_state_dict(kept)
    return Progress(**state["progress"])


def save_checkpoint(path: str | Path, rule: Rule, chips: Chips, progress: Progress) -> None:
    """Write a run's state between two epochs; complete or not at all.

    Args:
        path: The file.
        rule: The rule.
        chips: Its chips.
        progress: What `train` was given.
    """
    save(state_of(rule, chips, progress), Path(path))


def load_checkpoint(path: str | Path, rule: Rule, chips: Chips) -> Progress:
    """Restore a run into chips and a rule made from the same seeds and options.

    Args:
        path: The file.
        rule: A fresh rule.
        chips: Its fresh chips.

    Returns:
        Where to go on; hand it to `train`.

    Raises:
        ValueError: If the file is damaged.
    """
    return restore(load(Path(path)), rule, chips)


def save(state: dict[str, Any], path: Path) -> None:
    """Write tensors and plain data; complete or not at all."""
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote, if its checksums say that it is what was written; torch leaves them unread.

    Raises:
        ValueError: If they do not.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except zipfile.BadZipFile as error:
        broken = str(error)
    if broken:
        raise ValueError(f"Expected {path} as it was written. Got damage ({broken}). Take an earlier one, or none.")
    return torch.load(path, weights_only=True)
