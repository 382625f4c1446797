"""What becomes of a chip's state when a parameter of the device changes."""

from collections.abc import Mapping

import torch

State = Mapping[str, torch.Tensor]


def keep_what_changed(as_made: State, now: State, other: State) -> dict[str, torch.Tensor]:
    """Return the state of chips after a change of their parameters.

    A tensor that differs from the state as made is one that learning or time has changed: it stays as it is now. All
    others are as in chips made with the new parameters, which may have more or fewer of them.

    Args:
        as_made: State of the chips as made with the old parameters.
        now: Their present state.
        other: State of the same chips as made with the new parameters.

    Raises:
        ValueError: If what has changed does not fit the new chips.
    """
    changed = {name for name, value in now.items() if not torch.equal(value, as_made[name])}
    if lost := sorted(changed - other.keys()):
        raise ValueError(_refused(lost[0], "would be lost"))
    kept = {}
    for name, new in other.items():
        stays = name in changed
        if stays and now[name].shape != new.shape:
            raise ValueError(_refused(name, f"has shape {tuple(new.shape)}, not {tuple(now[name].shape)}"))
        kept[name] = now[name] if stays else new
    return kept


def _refused(name: str, why: str) -> str:
    return (
        f"Expected a parameter that a finished chip can change. Got one with which its {name} {why}. Sweep the "
        "parameter in [sweep] instead: every value makes its own chip."
    )
