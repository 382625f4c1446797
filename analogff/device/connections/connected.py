"""A layer of connected arrays as a device: a connection and a bank of chips."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from typing_extensions import override

from analogff.device.connections.connection import Connection
from analogff.device.connections.sheet import sheet_of_layer
from analogff.device.fabricate import fabricate
from analogff.device.numerics.counting import cells_asked
from analogff.device.protocol import Device, Truth
from analogff.device.seeds import chip_seeds
from analogff.device.shared_inputs import SharedInputs, whole
from analogff.device.wrappers.wrapping import answer, wrapping


class Connected(Device):
    """A layer whose arrays are chips of another class, connected by a topology.

    Args:
        n_in: Input lines of the layer.
        n_out: Outputs of the layer.
        seed: One seed a chip; `Connection.seeds` derives those of its arrays.
        parameters: Options of the topology, and parameters of the class for each of the arrays; a tensor ``(chips,)``
            gives the arrays of each chip their own.
    """

    banked = True
    model: ClassVar[type[Device]]
    """The class of the arrays; `connected` fills it in."""
    topology: ClassVar[type[Connection]]
    """The class of the connection; `connected` fills it in."""

    def __init__(self, n_in: int, n_out: int, *, seed: int | Sequence[int], **parameters: Any):
        options, parameters = self._divided(parameters)
        connection, seeds = self.topology(n_in, n_out, **options), chip_seeds(seed)
        own = {name: _for_arrays(value, len(seeds), connection.arrays) for name, value in parameters.items()}
        size, each = (connection.array_in, connection.array_out), [s for chip in seeds for s in connection.seeds(chip)]
        bank = fabricate(self.model, *size, seeds=each, parameters=own)
        super().__init__(n_in, n_out, datasheet=sheet_of_layer(connection, bank.datasheet))
        self.chips, self.connection, self.bank = len(seeds), connection, bank

    @classmethod
    def _divided(cls, parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return options of the topology, and parameters of the arrays."""
        options = inspect.signature(cls.topology).parameters
        return (
            {name: value for name, value in parameters.items() if name in options},
            {name: value for name, value in parameters.items() if name not in options},
        )

    @classmethod
    @override
    def check_size(cls, n_in, n_out, **parameters):
        options, parameters = cls._divided(parameters)
        cls.topology.check_size(n_in, n_out, **options)
        connection = cls.topology(n_in, n_out, **options)
        cls.model.check_size(connection.array_in, connection.array_out, **parameters)

    @classmethod
    @override
    def check_image(cls, n_in, image, **parameters):
        cls.topology.check_image(n_in, image, **cls._divided(parameters)[0])

    @classmethod
    @override
    def on_lines(cls, lines, parameters):
        return parameters | cls.topology.on_lines(lines, cls._divided(parameters)[0])

    @override
    def measure(self, x, bias=None):
        return self._read(x, bias)

    @override
    def measure_marked(self, x, bias=None):
        return self._read(x, bias)

    @override
    def measure_biased(self, x, biases):
        biases = [self.connection.spread_bias(bias, self.chips, x.shape[1]) for bias in biases]
        return [self.connection.join(y) for y in self.bank.measure_biased(self.connection.spread(x), biases)]

    @override
    def pulse(self, change):
        return self._write(self.bank.pulse, self.connection.changes(change))

    @override
    def program(self, weights):
        return self._write(self.bank.program, self.connection.weights(weights))

    @override
    def wait(self, seconds):
        self.bank.wait(_for_arrays(seconds, self.chips, self.connection.arrays))

    @override
    def oracle(self, x, bias=None):
        slope, weights = self.bank.oracle(whole(self.connection.spread(x)), self._spread_bias(x, bias))
        return Truth(self.connection.join(slope), self.connection.dense(weights))

    @override
    def pullback(self, x, error, bias=None):
        errors = self.connection.spread_bias(error, self.chips, x.shape[1])
        pulled = self.bank.pullback(whole(self.connection.spread(x)), errors, self._spread_bias(x, bias))
        return None if pulled is None else self.connection.join(pulled)

    @override
    def knows_truth(self):
        return self.bank.knows_truth()

    def _read(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None) -> torch.Tensor:
        return self.connection.join(answer(self.bank, self.connection.spread(x), self._spread_bias(x, bias)))

    def _spread_bias(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None) -> torch.Tensor | None:
        return None if bias is None else self.connection.spread_bias(bias, self.chips, x.shape[1])

    def _write(self, verb: Callable[[torch.Tensor], torch.Tensor | None], cells: torch.Tensor) -> torch.Tensor:
        """Write cells, and return the steps that each chip spent."""
        steps = verb(cells)
        return (cells_asked(cells) if steps is None else steps).view(self.chips, self.connection.arrays).sum(1)


def _for_arrays(value: Any, chips: int, arrays: int) -> Any:
    """Give each array its chip's number, where there is one a chip."""
    per_chip = isinstance(value, torch.Tensor) and value.dim() > 0
    return value.expand(chips).repeat_interleave(arrays) if per_chip else value


@functools.cache
def connected(topology: type[Connection], model: type[Device]) -> type[Connected]:
    """Return the class of layers whose arrays are of a class.

    It takes the parameters of the class beside the options of the topology.
    """
    around = wrapping(Connected, model, f"{model.__name__} chips, connected", options_of=topology)
    around.topology = topology
    return around
