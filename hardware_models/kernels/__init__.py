"""The hot path: the read and its noise, addressed by position. A reference, and fast kernels for CPU and CUDA."""

from collections.abc import Sequence
from types import ModuleType

import torch

from analogff.device import SharedInputs, whole
from analogff.device.numerics.gpu import has_triton
from hardware_models.kernels import reference
from hardware_models.kernels.circuit import Circuit

__all__ = ["add_normal_", "normal", "read", "uniform"]


def read(circuit: Circuit, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
    """Read a crossbar; see `reference.read`."""
    if circuit.weights.device.type == "cpu":
        from hardware_models.kernels.cpu import crossbar

        if crossbar.takes(circuit):
            return crossbar.read(circuit, x, biases)
    elif has_triton(circuit.weights.device):
        from hardware_models.kernels.cuda import read as fused

        if fused.takes(circuit):
            return fused.read(circuit, x, biases)
    return reference.read(circuit, whole(x), biases)


def normal(seeds: torch.Tensor, first_row: torch.Tensor | int, rows: int, columns: int, stream: int) -> torch.Tensor:
    """Draw standard normals, float32 ``(chips, rows, columns)``; see `reference.normal`."""
    if seeds.device.type != "cpu":
        return _elsewhere(seeds).normal(seeds, first_row, rows, columns, stream)
    from hardware_models.kernels.cpu import philox  # imported here, since it takes a second

    y = torch.empty(len(seeds), rows, columns)
    philox.fill_normal(y.numpy(), seeds.numpy(), _rows(first_row, seeds).numpy(), int(stream))
    return y


def uniform(seeds: torch.Tensor, first_row: torch.Tensor | int, rows: int, columns: int, stream: int) -> torch.Tensor:
    """Draw from [0, 1), float32 ``(chips, rows, columns)``; see `reference.uniform`."""
    if seeds.device.type != "cpu":
        return _elsewhere(seeds).uniform(seeds, first_row, rows, columns, stream)
    from hardware_models.kernels.cpu import philox

    y = torch.empty(len(seeds), rows, columns)
    philox.fill_uniform(y.numpy(), seeds.numpy(), _rows(first_row, seeds).numpy(), int(stream))
    return y


def add_normal_(
    y: torch.Tensor, sigma: torch.Tensor, seeds: torch.Tensor, first_row: torch.Tensor | int, stream: int
) -> torch.Tensor:
    """Draw normals and add them, times ``sigma``, in place and in one pass; see `reference.add_normal_`."""
    if y.device.type != "cpu":
        return _elsewhere(y).add_normal_(y, sigma, seeds, first_row, stream)
    from hardware_models.kernels.cpu import philox

    spread = sigma.expand(y.shape[0], y.shape[1], sigma.shape[-1]).contiguous()
    philox.add_normal(y.numpy(), spread.numpy(), seeds.numpy(), _rows(first_row, seeds).numpy(), int(stream))
    return y


def _rows(first_row: torch.Tensor | int, seeds: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(first_row, dtype=torch.int64).expand(seeds.shape).contiguous()


def _elsewhere(tensor: torch.Tensor) -> ModuleType:
    """Return the noise kernels of a device other than the CPU."""
    if not has_triton(tensor.device):
        return reference
    from hardware_models.kernels.cuda import philox

    return philox
