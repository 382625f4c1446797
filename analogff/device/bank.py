"""Many single chips side by side."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from typing_extensions import override

from analogff.device.errors import ContractError
from analogff.device.protocol import Device, Truth


class Bank(Device):
    """Several chips of a class that holds one, with the chip axis in front.

    Args:
        devices: The chips, all of one size.
    """

    banked = True

    def __init__(self, devices: Sequence[Device]):
        sheet = devices[0].datasheet
        super().__init__(sheet.n_in, sheet.n_out, datasheet=sheet)
        self.devices = torch.nn.ModuleList(devices)

    def _each(self, act: Callable[..., Any], *tensors: torch.Tensor | None) -> list[Any]:
        """Call each chip with its own slice of each tensor."""
        return [
            act(device, *(t if t is None or t.dim() < 3 else t[chip % t.shape[0]] for t in tensors))
            for chip, device in enumerate(self.devices)
        ]

    @override
    def measure(self, x, bias=None):
        if bias is None:  # a device without the port need not name it
            answers = self._each(lambda device, x: device.measure(x), x)
        else:
            answers = self._each(lambda device, x, bias: device.measure(x, bias), x, bias)
        wanted = x.shape[-2], self.datasheet.n_out
        for device, y in zip(self.devices, answers, strict=True):
            if not isinstance(y, torch.Tensor) or y.shape != wanted:
                got = tuple(y.shape) if isinstance(y, torch.Tensor) else type(y).__name__
                raise ContractError(
                    f"Expected measure of {type(device).__name__} to return a tensor of shape (batch, n_out) = "
                    f"{wanted}. Got {got}. Return one row a sample, and in it one number a neuron."
                )
        return torch.stack(answers)

    @override
    def pulse(self, change):
        return _counts(self._each(_pulse, change))

    @override
    def program(self, weights):
        return _counts(self._each(lambda device, weights: device.program(weights), weights))

    @override
    def wait(self, seconds):
        for device, each in zip(self.devices, torch.as_tensor(seconds).expand(len(self.devices)).tolist(), strict=True):
            device.wait(each)  # type: ignore[operator]

    @override
    def oracle(self, x, bias=None):
        return Truth(*map(torch.stack, zip(*self._each(lambda d, x, b: d.oracle(x, b), x, bias), strict=True)))

    @override
    def pullback(self, x, error, bias=None):
        pulled = self._each(lambda d, x, e, b: d.pullback(x, e, b), x, error, bias)
        return None if any(part is None for part in pulled) else torch.stack(pulled)

    @override
    def knows_truth(self):
        return all(device.knows_truth() for device in self.devices)  # type: ignore[attr-defined,operator]


def _pulse(device: Any, change: torch.Tensor) -> Any:
    """Ask a chip for a change; one of zero is not asked for, and takes no steps."""
    return device.pulse(change) if change.any() else 0


def _counts(counts: list[Any]) -> torch.Tensor | None:
    return None if any(count is None for count in counts) else torch.stack([torch.as_tensor(c) for c in counts])
