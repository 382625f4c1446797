"""Checkpoints that restore a run exactly: chips, clocks, counters, optimisers and the order of the data."""

import dataclasses
import os
from pathlib import Path

import torch

from analogff.network import Chips
from analogff.rules.base import Rule
from analogff.train import Progress


def save_checkpoint(path: str | Path, rule: Rule, chips: Chips, progress: Progress) -> None:
    """Write a run's state between two epochs; complete or not at all.

    Args:
        path: The file.
        rule: The rule.
        chips: Its chips.
        progress: What `train` was given.
    """
    path = Path(path)
    state = {
        "chips": chips.devices.state_dict(),
        "ledger": chips.ledger.state_dict(),
        "rule": rule.state_dict(),
        "progress": dataclasses.asdict(progress),
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    torch.save(state, temporary)
    os.replace(temporary, path)


def load_checkpoint(path: str | Path, rule: Rule, chips: Chips) -> Progress:
    """Restore a run into chips and a rule made from the same seeds and options.

    Args:
        path: The file.
        rule: A fresh rule.
        chips: Its fresh chips.

    Returns:
        Where to go on; hand it to `train`.
    """
    state = torch.load(path, weights_only=True)
    chips.devices.load_state_dict(state["chips"])
    chips.ledger.load_state_dict(state["ledger"])
    rule.load_state_dict(state["rule"])
    return Progress(**state["progress"])
