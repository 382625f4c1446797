"""A crossbar and its periphery: the composition of effects that the array devices share."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

from analogff.device import Datasheet, Device, Marked, Truth, chipwise, product
from hardware_models import kernels
from hardware_models.effects import mismatch
from hardware_models.kernels.circuit import Circuit
from hardware_models.parameters import per_chip
from hardware_models.periphery import Periphery
from hardware_models.streams import Stream

_CACHED_NUMBERS = 2**17
_IN_CIRCUIT = [name for name in Circuit._fields if name not in ("curve", "variance", "codes")]


class Crossbar(Device):
    r"""Inputs through converters onto an array of cells, sums through neurons to converters.

    .. math::
        y = \mathrm{ADC}\left[f(g \circ (W q + b + \sigma_W |q| \xi) + o; s) + \sigma \xi'\right], \quad
        q = \mathrm{DAC}[x]

    The cells are a subclass's: it fills ``weights`` and overrides `pulse` and `program`.
    `kernels.read` does the reading. A chip's numbers do not depend on its neighbours in a bank.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        datasheet: What its maker prints.
        periphery: Converters and neurons.
        weight_noise: Fluctuation of a weight from read to read, in units of a weight.
        curve_spread: Spread of the steepness ``s`` from chip to chip.
        cells: Further per-chip numbers, kept as buffers of their names.
    """

    banked = True

    if TYPE_CHECKING:  # every name that is not a method is a buffer

        def __getattr__(self, name: str) -> torch.Tensor: ...

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        datasheet: Datasheet,
        periphery: Periphery,
        weight_noise: Any = 0.0,
        curve_spread: Any = 0.0,
        **cells: Any,
    ):
        super().__init__(n_in, n_out, datasheet=datasheet)
        self.curve = periphery.family.curve
        self._keep("seeds", torch.as_tensor(seed, dtype=torch.int64).reshape(-1))
        self._keep("reads", torch.zeros_like(self.seeds))
        self._keep("writes", torch.zeros_like(self.seeds))
        numbers = dict(vars(periphery), weight_noise=weight_noise, curve_spread=curve_spread, **cells)
        numbers |= dict(input_min=0.0, output_min=0.0)
        numbers["output_max"] = numbers.pop("family").high
        for name, value in numbers.items():
            self._keep(name, per_chip(name, value, len(self.seeds)))
        self._keep("gain", mismatch.factor(self.mismatch, self._fabricated(Stream.GAIN, 1, n_out)))
        self._keep("offset", mismatch.offset(self.mismatch, self._fabricated(Stream.OFFSET, 1, n_out)))
        drawn = self._fabricated(Stream.CURVE, 1, 1)
        self._keep("steepness", mismatch.unit_mean_factor(self.curve_spread, drawn))
        self._keep("weights", self._fabricated(Stream.INITIAL, n_out, n_in) / n_in**0.5)

    def measure(self, x, bias=None):  # noqa: D102
        return self._read(x, [bias])[0]

    def measure_marked(self, x, bias=None):  # noqa: D102
        return self._read(x, [bias])[0]

    def measure_biased(self, x, biases):  # noqa: D102
        return self._read(x, biases)

    def _read(self, x: torch.Tensor | Marked, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
        there = self.weights.device
        biases = [b if b is None else torch.as_tensor(b, dtype=torch.float32, device=there) for b in biases]
        answers = kernels.read(self.circuit(), x, biases)
        self.reads.add_(x.shape[1] * len(biases))
        return answers

    def oracle(self, x, bias=None):  # noqa: D102
        a = product(x, self.weights)
        a = (a if bias is None else a + bias) * self.gain + self.offset
        return Truth(self._slope(a) * self.gain, self.weights.clone())

    def circuit(self) -> Circuit:
        """Return what a signal meets, as it stands."""
        buffers = self._buffers  # looked up here, not one by one through the module: it is done for every read
        return Circuit(curve=self.curve, **{name: buffers[name] for name in _IN_CIRCUIT})  # type: ignore[arg-type]

    def _slope(self, a: torch.Tensor) -> torch.Tensor:
        return chipwise(_derivative(self.curve), a, self.steepness)

    def _keep(self, name: str, value: torch.Tensor) -> None:
        """Make a tensor part of the chip's state."""
        self.register_buffer(name, value)

    def _fabricated(self, stream: Stream, rows: int, columns: int) -> torch.Tensor:
        """Draw standard normals that belong to these chips for good."""
        return kernels.normal(self.seeds, 0, rows, columns, stream)

    def _add_write_noise(
        self, cells: torch.Tensor, sigma: torch.Tensor, stream: Stream, chip: slice = slice(None)
    ) -> torch.Tensor:
        """Add noise of the present write to cells ``(chips, rows, columns)`` in place."""
        first_row = self.writes[chip] * cells.shape[1]
        return kernels.add_normal_(cells, sigma, self.seeds[chip], first_row, stream)


def chip_groups(x: torch.Tensor) -> list[slice]:
    """Return the chips to write together: each by itself on a CPU, all in one launch elsewhere."""
    return [slice(None)] if x.is_cuda else [slice(c, c + 1) for c in range(x.shape[0])]


def cached_groups(x: torch.Tensor) -> list[slice]:
    """Return the chips to write together where only sums and products are formed, which round alike everywhere.

    As many as the cache of a CPU holds; all in one launch elsewhere.
    """
    if x.is_cuda:
        return [slice(None)]
    together = max(1, _CACHED_NUMBERS * x.shape[0] // max(1, x.numel()))
    return [slice(c, c + together) for c in range(0, x.shape[0], together)]


def _derivative(curve: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def slope(a: torch.Tensor, steepness: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            a = a.detach().requires_grad_()
            return torch.autograd.grad(curve(a, steepness).sum(), a)[0]

    return slope
