"""Where a training stands."""

import dataclasses

import torch


@dataclasses.dataclass(frozen=True, kw_only=True)
class Upcoming:
    """The step that comes next."""

    step: int
    """From 0, through all epochs."""
    images_before: int
    """Images learned from so far."""
    progress: float
    """How much of the training is done, 0 to 1."""
    images: torch.Tensor
    """Its batch."""
    labels: torch.Tensor
    """Of the batch."""


@dataclasses.dataclass
class Progress:
    """Where a run stands between two epochs; with the chips and the rule, all that a checkpoint needs."""

    epoch: int = 0
    first_loss: torch.Tensor | None = None
    diverged: torch.Tensor | None = None
    device_seconds: torch.Tensor | float = 0.0
    wall_seconds: float = 0.0
    stopped_by: str = ""
    past_epochs: int = 0
    """Of earlier trainings of the same chips, whose orders of the images are not repeated."""
    images: int = 0
    """Images learned from, each as often as it was shown."""
