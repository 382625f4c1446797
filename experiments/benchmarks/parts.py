"""What several benchmarks need: a read, a product, a step, and something to feed them with."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from analogff.device import Device
from analogff.learning.rule import Rule
from analogff.network import LayerSpec, fabricate_chips
from hardware_models.generic.unknown import Unknown

CLASSES = 10
FLAWS: dict[str, Any] = dict(
    family="saturating", mismatch=0.2, read_noise=0.05, weight_noise=0.05, adc_bits=6, dac_bits=8, curve_spread=0.2
)
"""Everything that can be wrong with a read of `Unknown`."""


def inputs(batch: int, n_in: int) -> torch.Tensor:
    """Return signals as a layer gets them, not negative and of mean square near 1, ``(batch, n_in)``."""
    return 2 * torch.rand(batch, n_in, generator=torch.Generator().manual_seed(0))


def images(batch: int, n_in: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noise with labels; learning takes as long on it as on pictures."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, CLASSES, (batch,), generator=generator)
    return torch.rand(batch, n_in, generator=generator), labels


def unknown(n_in: int, n_out: int, **changes: Any) -> Unknown:
    """Return one chip with all flaws but for the changes."""
    return Unknown(n_in, n_out, seed=0, **FLAWS | changes)


def read(device: Device, x: torch.Tensor) -> Callable[[], object]:
    """Return a read of one chip."""
    bank = x.unsqueeze(0)
    return torch.no_grad()(lambda: device(bank))


def linear(n_out: int, x: torch.Tensor) -> Callable[[], object]:
    """Return what a digital layer does to the same inputs."""
    layer = torch.nn.Linear(x.shape[1], n_out)
    return torch.no_grad()(lambda: layer(x))


def step(
    rule: type[Rule],
    models: Sequence[type[Device]],
    sizes: Sequence[int],
    batch: int,
    *,
    chips: int = 1,
    **options: Any,
) -> Callable[[], object]:
    """Return a learning step on fresh chips.

    Args:
        rule: The learning rule.
        models: The device of each layer.
        sizes: Inputs of the first layer, then each layer's width.
        batch: Images a step.
        chips: How many learn at once.
        options: Options of the rule.
    """
    made = fabricate_chips([LayerSpec(model) for model in models], sizes, CLASSES, seeds=range(chips))
    chosen = rule.Options(batch=batch, **options)
    taught, (x, labels) = rule(made.seal(rule.needs(chosen)), chosen, seed=0), images(batch, sizes[0])
    return lambda: taught.step(x, labels)
