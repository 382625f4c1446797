"""A crossbar and its periphery: the composition of effects that the array devices share."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from typing_extensions import override

from analogff.device import ContractError, Device, SharedInputs, Truth, chipwise, product, whole
from hardware_models import kernels
from hardware_models.array.fabrication import fabricated
from hardware_models.array.groups import bias_of, chip_groups, signal_of
from hardware_models.array.parameters import per_chip
from hardware_models.array.periphery import ArraySheet, Periphery, typical_weights
from hardware_models.array.stages.path import OwnStages, ReadPath, path, paths
from hardware_models.array.stages.stage import Chips, Linear, Stage
from hardware_models.array.wire_limits import check_wires, require_short_wires
from hardware_models.effects import mismatch
from hardware_models.kernels import pulsing
from hardware_models.kernels.circuit import Circuit, of_chips
from hardware_models.kernels.streams import Stream

_RANGES = ("input_min", "input_max", "output_min", "output_max")
_RESPONSE = ("weights", "gain", "offset", "after")
_IN_CIRCUIT = [name for name in Circuit._fields if name not in ("curve", "variance", "codes")]


class Crossbar(Device):
    r"""Inputs through converters onto an array of cells, sums through neurons to converters.

    .. math::
        y = \mathrm{ADC}\left[f(g \circ (W q + b + \sigma_W |q| \xi) + o; s) + \sigma \xi'\right], \quad
        q = \mathrm{DAC}[x]

    The cells are a subclass's: it fills ``weights`` and overrides `pulse` and `program`.
    `kernels.read` does the reading. A chip's numbers do not depend on its neighbors in a bank.

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
    own_neurons: ClassVar[bool] = False
    """Whether the neurons are circuits with numbers of their own, by `_curve`; a CPU reads such chips one by one."""
    _paths: dict[int, ReadPath]
    """Of the chips whose periphery has an effect."""

    seeds: torch.Tensor
    weights: torch.Tensor
    curve_spread: torch.Tensor
    reads: torch.Tensor
    writes: torch.Tensor
    gain: torch.Tensor
    offset: torch.Tensor
    steepness: torch.Tensor
    siemens: torch.Tensor
    wire_ohm: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        datasheet: ArraySheet,
        periphery: Periphery,
        weight_noise: Any = 0.0,
        curve_spread: Any = 0.0,
        **cells: Any,
    ):
        super().__init__(n_in, n_out, datasheet=datasheet)
        self.curve = periphery.neuron.curve
        self._keep("seeds", torch.as_tensor(seed, dtype=torch.int64).reshape(-1))
        self._keep("reads", torch.zeros_like(self.seeds))
        self._keep("writes", torch.zeros_like(self.seeds))
        numbers = periphery.numbers | dict(weight_noise=weight_noise, curve_spread=curve_spread, **cells)
        numbers |= {name: getattr(datasheet, name) for name in _RANGES}
        numbers |= dict(siemens=periphery.siemens(datasheet), weight_end=periphery.weight_end(datasheet))
        for name, value in numbers.items():
            self._keep(name, per_chip(name, value, len(self.seeds)))
        self.periphery = periphery
        self.require_short_wires(n_in, n_out)
        self._around = [*periphery.numbers, "siemens", "weight_end"]
        drawn = fabricated(periphery, self._surroundings(), self.seeds, n_in, n_out)
        for name, value in drawn.items():
            self._keep(name, value)
        self._around += drawn
        drawn = self._fabricated(Stream.CURVE, 1, 1)
        self._keep("steepness", mismatch.unit_mean_factor(self.curve_spread, drawn))
        self._keep("weights", self._fabricated(Stream.INITIAL, n_out, n_in) / n_in**0.5)
        self._choose_paths()

    @classmethod
    @override
    def check_size(cls, n_in, n_out, **parameters):
        check_wires(cls, n_in, n_out, parameters)

    def require_short_wires(self, n_in: int, n_out: int) -> None:
        """Refuse a size of layer for which the model of wires does not hold; see `wiring.require_short_wires`."""
        behind = self.siemens.flatten() / typical_weights(self.datasheet.n_in)
        require_short_wires(self.periphery, n_in, n_out, self.wire_ohm.flatten(), behind)

    @override
    def measure(self, x, bias=None):
        return self._read(x, [bias])[0]

    @override
    def measure_marked(self, x, bias=None):
        return self._read(x, [bias])[0]

    @override
    def measure_biased(self, x, biases):
        return self._read(x, biases)

    @override
    def sums(self, x):
        if self._paths or self.own_neurons:
            raise ContractError(f"{type(self).__name__} has a periphery that only whole reads pass")
        none = torch.zeros_like(self.siemens)
        bare = self.circuit()._replace(
            curve=_passed,
            gain=torch.ones_like(self.gain),
            offset=torch.zeros_like(self.offset),
            read_noise=none,
            adc_bits=none,
            output_min=none - torch.inf,
            output_max=none + torch.inf,
        )
        groups = chip_groups(x)
        currents = [kernels.reference.read(of_chips(bare, chips), x[chips], [None])[0] for chips in groups]
        self.reads.add_(x.shape[1])
        return torch.cat(currents)

    def _read(self, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
        there = self.weights.device
        biases = [b if b is None else torch.as_tensor(b, dtype=torch.float32, device=there) for b in biases]
        apart = self._paths or self.own_neurons
        answers = self._read_apart(x, biases) if apart else kernels.read(self.circuit(), x, biases)
        self.reads.add_(x.shape[1] * len(biases))
        return answers

    def _read_apart(self, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
        """Read chips one after another, since each has a path of its own, and rounds as it would alone."""
        circuit, answers = self.circuit(), []
        for chips in self._groups():
            shifts = [b if b is None else bias_of(b, chips) for b in biases]
            answers.append(self._read_group(circuit, chips, signal_of(x, chips), shifts))
        return [torch.cat(parts) for parts in zip(*answers, strict=True)]

    def _groups(self) -> list[slice]:
        """Return the chips to read together: all where that is one launch, and none has a path of its own."""
        return [slice(c, c + 1) for c in range(len(self.seeds))] if self._paths else chip_groups(self.weights)

    def _read_group(
        self, circuit: Circuit, chips: slice, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor | None]
    ) -> list[torch.Tensor]:
        """Read some chips by their path, or by the plain one."""
        own = self._paths.get(chips.start, self._path_without_effects)
        if own is None:
            return kernels.read(of_chips(circuit, chips), x, biases)
        return own.read(self._standing(circuit, chips), whole(x), biases)

    def _standing(self, circuit: Circuit, chips: slice) -> Chips:
        """Return some chips as they stand."""
        own = of_chips(circuit, chips)
        own = own._replace(curve=self._curve(chips)) if self.own_neurons else own
        return Chips(own, self._buffers, chips)  # type: ignore[arg-type]

    def _choose_paths(self) -> None:
        """Choose the stages of each chip by its numbers as they stand."""
        n_in, stages = self.datasheet.n_in, OwnStages(self._sum_stages(), self._neuron_stages())
        self._paths = paths(self.periphery, self._surroundings(), n_in, stages)
        plain = path(self.periphery, frozenset(), n_in, stages) if self.own_neurons else None
        self._path_without_effects = plain

    def _load_from_state_dict(self, *args: Any) -> None:
        """Load buffers; which chips have effects is among them."""
        super()._load_from_state_dict(*args)
        self._choose_paths()

    @override
    def oracle(self, x, bias=None):
        linear, a = self._operating_point(x, bias)
        return Truth(self._slope(a) * linear.gain * linear.after, linear.weights.clone())

    def _operating_point(self, x: torch.Tensor, bias: torch.Tensor | None) -> tuple[Linear, torch.Tensor]:
        """Return the small-signal response beside the curve, and what neurons are given, ``(chips, batch, n_out)``."""
        linear = self._linear()
        a = product(x, linear.weights)
        return linear, (a if bias is None else a + bias) * linear.gain + linear.offset

    def _linear(self) -> Linear:
        """Return the small-signal response of all chips beside the curve."""
        if not self._paths and self._path_without_effects is None:
            return Linear(self.weights, self.gain, self.offset, torch.ones_like(self.gain))
        circuit, each = self.circuit(), []
        for c in range(len(self.seeds)):
            standing = self._standing(circuit, slice(c, c + 1))
            own = standing.circuit
            plain = Linear(own.weights, own.gain, own.offset, torch.ones_like(own.gain))
            way = self._paths.get(c, self._path_without_effects)
            each.append(way.linearize(standing) if way else plain)
        return Linear(*(torch.cat([getattr(one, name) for one in each]) for name in _RESPONSE))

    def circuit(self) -> Circuit:
        """Return what a signal meets, as it stands."""
        buffers = self._buffers  # looked up here, not one by one through the module: it is done for every read
        return Circuit(curve=self.curve, **{name: buffers[name] for name in _IN_CIRCUIT})  # type: ignore[arg-type]

    def _slope(self, a: torch.Tensor) -> torch.Tensor:
        if not self.own_neurons:
            return chipwise(_derivative(self.curve), a, self.steepness)
        each = chip_groups(a)
        return torch.cat([_derivative(self._curve(chips))(a[chips], self.steepness[chips]) for chips in each])

    def _curve(self, chips: slice) -> Callable[..., torch.Tensor]:
        """Return the mean response of the neurons of these chips, ``f(a, s)``, differentiable.

        Overridden, with ``own_neurons = True``, where it depends on more than a steepness. It is made of these chips'
        slices of buffers, ``(chips, 1, 1)`` or ``(chips, 1, n_out)``, and may change ``a`` in no way.
        """
        return self.curve

    def _sum_stages(self) -> tuple[Stage, ...]:
        """Return what happens to the sums of the array before a bias is added; as `_neuron_stages`."""
        return ()

    def _neuron_stages(self) -> tuple[Stage, ...]:
        """Return what neurons do beyond their mean response, such as noise of their own.

        Asked when the chips are made, and when a state is loaded. Only with ``own_neurons = True``.
        """
        return ()

    def _surroundings(self) -> dict[str, torch.Tensor]:
        """Return the numbers of what stands around the array, and what was drawn by them."""
        return {name: getattr(self, name) for name in self._around}

    def _keep(self, name: str, value: torch.Tensor) -> None:
        """Make a tensor part of the chip's state."""
        self.register_buffer(name, value)

    def _fabricated(self, stream: Stream, rows: int, columns: int) -> torch.Tensor:
        """Draw standard normals that belong to these chips for good."""
        return kernels.normal(self.seeds, 0, rows, columns, stream)

    def _count_write(self, change: torch.Tensor) -> None:
        """Let the next write of each chip that was asked for anything have new noise; a change of zero is no write."""
        self.writes += pulsing.which_ask(change)

    def _chip_by_chip(self, pulse: Callable[[slice, torch.Tensor], torch.Tensor], change: torch.Tensor) -> torch.Tensor:
        """Let a change land on the chips that are written together, and count the write; return the pulses of each."""
        counts = [pulse(chip, change[chip]) for chip in chip_groups(change)]
        self._count_write(change)
        return torch.cat(counts)

    def _rounding(self, chip: slice, cells: torch.Tensor) -> torch.Tensor:
        """Draw what rounds the present write of some chips to whole pulses, uniform, shaped as their cells."""
        rows, columns = cells.shape[1:]
        return kernels.uniform(self.seeds[chip], self.writes[chip] * rows, rows, columns, Stream.ROUNDING)

    def _add_write_noise(
        self, cells: torch.Tensor, sigma: torch.Tensor, stream: Stream, chip: slice = slice(None)
    ) -> torch.Tensor:
        """Add noise of the present write to cells ``(chips, rows, columns)`` in place."""
        first_row = self.writes[chip] * cells.shape[1]
        return kernels.add_normal_(cells, sigma, self.seeds[chip], first_row, stream)


def _passed(a: torch.Tensor, steepness: torch.Tensor) -> torch.Tensor:
    """Return sums as they are."""
    return a


def _derivative(curve: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def slope(a: torch.Tensor, steepness: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            a = a.detach().requires_grad_()
            return torch.autograd.grad(curve(a, steepness).sum(), a)[0]

    return slope
