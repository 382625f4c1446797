"""Random directions in which rules move weights, and the moves."""

from collections.abc import Sequence
from typing import Literal

import torch

from analogff.device import Sealed
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.system import Work, work

Distribution = Literal["signs", "gaussian"]


def draw(layer: Sealed, distribution: Distribution, generator: torch.Generator) -> torch.Tensor:
    """Draw a direction of the weights of a layer, ``(n_out, n_in)``, of variance 1, and book the work.

    It is the same for all chips, so that none depends on its neighbors.
    """
    shape = layer.datasheet.weight_shape
    layer.compute(*drawn_work(shape[0] * shape[1], distribution))
    if distribution == "gaussian":
        return torch.randn(shape, generator=generator).to(layer.torch_device)
    signs = torch.randint(0, 2, shape, generator=generator, dtype=torch.int8)
    return signs.to(layer.torch_device, torch.float32).mul_(2).sub_(1)


def move(optimizers: Sequence[PulseOptimizer], directions: Sequence[torch.Tensor], size: float) -> None:
    """Ask the chips for a change of so much in a direction of each layer, ``(n_out, n_in)``, and book the work."""
    for optimizer, direction in zip(optimizers, directions, strict=True):
        optimizer.layer.compute(*moved_work(direction.numel()))
        optimizer.move((direction * size).expand(optimizer.layer.chips, -1, -1))


def drawn_work(cells: int, distribution: Distribution = "signs") -> Work:
    """Return the digital work of drawing so many numbers."""
    return work.elementwise(cells, operations=2 if distribution == "gaussian" else 1, operands=0)


def moved_work(cells: int) -> Work:
    """Return that of scaling a direction before it is written."""
    return work.elementwise(cells, operations=1, operands=1)
