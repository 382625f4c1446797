"""The device under test: fresh chips of it, signals for it, and the trace of what it does."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch

from analogff.device.errors import ContractError
from analogff.device.fabricate import fabricate
from analogff.device.protocol import Device

SEEDS = (11, 12)
BATCH = 24


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check found out."""

    name: str
    """Which check, or which parameter."""
    passed: bool
    """Whether the device honors this part of the contract."""
    sentence: str
    """What was seen; where it failed also what was expected, and what to do."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """A device class with the sizes and parameters to build it with."""

    model: type[Device]
    n_in: int
    n_out: int
    parameters: dict[str, Any]

    def make(self, seeds: Sequence[int] = SEEDS, **changes: Any) -> Device:
        """Fabricate new chips, with some parameters changed."""
        chosen = {**self.parameters, **changes}
        return fabricate(self.model, self.n_in, self.n_out, seeds=seeds, parameters=chosen)

    @functools.cached_property
    def weight_shape(self) -> tuple[int, int]:
        """Shape of a chip's weights."""
        return self.make(SEEDS[:1]).datasheet.weight_shape

    def inputs(self, device: Device, batch: int = BATCH, *, tag: int = 0) -> torch.Tensor:
        """Return inputs of mean square about 1, as the network sends them.

        A quarter of the rows reach twice the greatest input, so that a clipped one shows.
        """
        sheet = device.datasheet
        low = max(sheet.input_min or 0.0, 0.0)
        high = min(3**0.5, sheet.input_max or 3**0.5)
        x = low + (high - low) * torch.rand(batch, self.n_in, generator=_generator(tag))
        if sheet.input_max is not None:
            x[-(batch // 4) :] *= 2 * sheet.input_max / high
        return x.expand(len(SEEDS), -1, -1).clone()

    def change(self, size: float, *, tag: int = 0, of: Device | None = None) -> torch.Tensor:
        """Return a change of weights, of a size relative to fresh ones, for a device that may be made otherwise."""
        shape = self.weight_shape if of is None else of.datasheet.weight_shape
        change = torch.randn(shape, generator=_generator(tag)) * size / shape[1] ** 0.5
        return change.expand(len(SEEDS), -1, -1).clone()

    def trace(self, device: Device, *, tag: int = 0) -> torch.Tensor:
        """Return all outputs of a little life: reads, small and large pulses, waits, programming."""
        x = self.inputs(device, tag=tag)
        outputs = [device(x)]
        for size, seconds in ((0.1, 10.0), (1.0, 1e5), (30.0, 0.0)):
            device.pulse(self.change(size, tag=tag, of=device))
            device.wait(seconds)
            outputs.append(device(x))
        if try_to_program(device, self.change(1.0, tag=tag + 1, of=device)):
            outputs.append(device(x))
            device.wait(1e5)
            outputs.append(device(x))
        return torch.cat(outputs, dim=1).detach()


@dataclasses.dataclass(frozen=True)
class Check:
    """One question of the suite."""

    name: str
    purpose: str
    """What is expected, to complete 'Expected ...' when a device raises."""
    run: Callable[[Subject], list[Finding]]


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Tell whether two traces are equal to the last bit; NaN equals NaN."""
    return a.shape == b.shape and torch.equal(a.nan_to_num(1e30), b.nan_to_num(1e30))


def alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Tell whether two traces are equal up to rounding, which may tip a few samples over an ADC step."""
    close = torch.isclose(a, b, rtol=1e-4, atol=1e-5)
    return a.shape == b.shape and bool(close.float().mean() >= 0.98)


def try_to_program(device: Device, weights: torch.Tensor) -> bool:
    """Program a device if it can be."""
    try:
        device.program(weights)
    except ContractError:
        return False
    return True


def _generator(tag: int) -> torch.Generator:
    return torch.Generator().manual_seed(20_000 + tag)
