"""Faults over time: a chip of any class to which something happens while it is in use."""

import functools
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Gt
from typing_extensions import override

from analogff.device import (
    Beside,
    ContractError,
    Device,
    PerChip,
    SharedInputs,
    Truth,
    answer,
    derive_seed,
    fabricate,
    wrapping,
)
from hardware_models import kernels
from hardware_models.array.parameters import Share, per_chip, require_allowed
from hardware_models.effects import defects
from hardware_models.effects.temperature import ROOM_KELVIN, arrhenius
from hardware_models.kernels.streams import Stream

ACTIVATION_ELECTRONVOLTS = 0.1
"""Of a conductance that grows with temperature, where none is told (assumed): 13 % for 10 K."""

_FAULTS = ("dead_columns", "warming_kelvin", "supply_sag", "swapped")

_Ask = Callable[[Any, Any, Sequence[torch.Tensor | None]], list[torch.Tensor]]


class Faulty(Device):
    r"""A chip of another class, that some writes later is not what it was.

    .. math::
        y = \begin{cases}
            f(W x + b) & \text{for the first } n \text{ writes} \\
            \mathrm{clip}\left[\sqrt{1 - s}\, f(g\, W x + b),\ (1 - s)\, y_\mathrm{max}\right] & \text{from then on}
        \end{cases}, \quad g = e^{E_a (1/T_0 - 1/(T_0 + \Delta T)) / k_B}

    Each chip counts its writes by calls of `pulse` that ask it for any change; before the fault it is bitwise that of
    its class. Several faults may be told at once; all happen together, and stay.

    * **Dead columns** answer nothing, 0, whatever comes in.
    * **Warming** lets conductances grow as a thermally activated one, and the sums with them, but not the bias. It is
      applied to the inputs, so that what then exceeds the drivers' range is clipped.
    * **A sagging supply** takes a share of the output range, and lowers the gain by the root of what is left, as that
      of an amplifier in strong inversion whose bias current follows the supply (assumed). It is applied to what is
      read, so between steps of the converter.
    * **A swapped chip** is one of another seed, fresh when it comes: with the weights that it was made with, or
      programmed with the true weights of the old one, as programming lands. Nobody counts those pulses.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        at_write: So many writes of a chip go well; with 0 it is faulty from the start.
        dead_columns: Share of the output lines that die.
        warming_kelvin: Change of the temperature, from 300 K.
        activation_electronvolts: ``E_a`` of the conductances, 0.1 if none is given; negative if they fall when warm.
        supply_sag: Share ``s`` of the supply that is missing.
        swapped: Whether the chip is replaced, and which weights the new one has.
        parameters: Of the class.

    Example:
        >>> from hardware_models.generic.ideal import Ideal
        >>> device = faulty(Ideal)(4, 3, seed=[0], dead_columns=0.9)
        >>> device(torch.ones(1, 1, 4)).count_nonzero().item()
        0

    Reference:
        No one chip: what a circuit's tests are made to find. Activation: `effects.temperature.arrhenius`.
    """

    banked = True
    model: ClassVar[type[Device]]
    """The class of the chips; `faulty` fills it in."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        at_write: Annotated[int, Ge(0), Beside(*_FAULTS)] = 0,
        dead_columns: Share = 0.0,
        warming_kelvin: Annotated[PerChip, Gt(-ROOM_KELVIN)] = 0.0,
        activation_electronvolts: Annotated[PerChip | None, Beside("warming_kelvin")] = None,
        supply_sag: Share = 0.0,
        swapped: Literal["no", "fabricated", "copied"] = "no",
        **parameters: Any,
    ):
        own = dict(at_write=at_write, dead_columns=dead_columns, warming_kelvin=warming_kelvin, supply_sag=supply_sag)
        own |= dict(activation_electronvolts=activation_electronvolts, swapped=swapped)
        require_allowed(own, typing.get_type_hints(Faulty.__init__, include_extras=True))
        seeds = torch.as_tensor(seed, dtype=torch.int64).reshape(-1)
        chip = fabricate(self.model, n_in, n_out, seeds=seeds.tolist(), parameters=parameters)
        super().__init__(n_in, n_out, datasheet=chip.datasheet)
        self.chip, self.copied = chip, swapped == "copied"
        self.spares = None if swapped == "no" else self._spares(seeds.tolist(), parameters)
        energy = ACTIVATION_ELECTRONVOLTS if activation_electronvolts is None else activation_electronvolts
        dead, warming, energy, sag = (
            per_chip(name, value, len(seeds))
            for name, value in dict(
                dead_columns=dead_columns,
                warming_kelvin=warming_kelvin,
                activation_electronvolts=energy,
                supply_sag=supply_sag,
            ).items()
        )
        self.writes: torch.Tensor
        self.at_write: torch.Tensor
        self.dead: torch.Tensor
        self.gain: torch.Tensor
        self.left: torch.Tensor
        self.register_buffer("writes", torch.zeros(len(seeds), 1, 1, dtype=torch.int64))
        self.register_buffer("at_write", torch.tensor(at_write))
        self.register_buffer("dead", defects.dead(kernels.uniform(seeds, 0, 1, n_out, Stream.FAULT), dead))
        self.register_buffer("gain", arrhenius(ROOM_KELVIN + warming, energy))
        self.register_buffer("left", 1 - sag)
        if self.copied:  # even where it happens later: a class that cannot be copied should say so now
            self._copy(torch.ones_like(self.writes, dtype=torch.bool))

    def _spares(self, seeds: list[int], parameters: dict[str, Any]) -> torch.nn.ModuleList:
        """Make a chip to replace each, by itself: some come earlier than others, and each is fresh when it comes."""
        n_in, n_out = self.datasheet.n_in, self.datasheet.n_out
        own = [{name: _own(value, slice(c, c + 1)) for name, value in parameters.items()} for c in range(len(seeds))]
        return torch.nn.ModuleList(
            fabricate(self.model, n_in, n_out, seeds=[derive_seed(s, "spare")], parameters=given)
            for s, given in zip(seeds, own, strict=True)
        )

    @classmethod
    @override
    def check_size(cls, n_in, n_out, **parameters):
        cls.model.check_size(n_in, n_out, **parameters)

    @classmethod
    @override
    def check_image(cls, n_in, image, **parameters):
        cls.model.check_image(n_in, image, **parameters)

    @classmethod
    @override
    def on_lines(cls, lines, parameters):
        return cls.model.on_lines(lines, parameters)

    @override
    def measure(self, x, bias=None):
        return self._read(x, [bias], _answered)[0]

    @override
    def measure_marked(self, x, bias=None):
        return self._read(x, [bias], _answered)[0]

    @override
    def measure_biased(self, x, biases):
        return self._read(x, biases, lambda chip, x, biases: chip.measure_biased(x, biases))

    def _read(self, x: Any, biases: Sequence[torch.Tensor | None], ask: _Ask) -> list[torch.Tensor]:
        happened = self._happened()
        if not happened.any():
            return ask(self.chip, x, biases)
        if isinstance(x, SharedInputs):
            x = SharedInputs(self._warmed(x.shared), self._warmed(x.marks.flatten(1, 2)).view_as(x.marks))
        else:
            x = self._warmed(x)
        answers = self._in_use(lambda chip, c: ask(chip, _inputs_of(x, c), [_bias_of(bias, c) for bias in biases]))
        return [torch.where(happened, self._after(y), y) for y in answers]

    @override
    def pulse(self, change):
        before = self._happened()
        steps = self._write("pulse", change)
        self.writes += change.flatten(1).any(1).view(-1, 1, 1)
        if self.copied:
            self._copy(self._happened() & ~before)
        return steps

    @override
    def program(self, weights):
        return self._write("program", weights)

    def _write(self, verb: str, values: torch.Tensor) -> torch.Tensor | None:
        old = values if self.spares is None else values.masked_fill(self._happened(), 0)
        return self._in_use(lambda chip, c: [getattr(chip, verb)((old if chip is self.chip else values)[c])])[0]

    @override
    def wait(self, seconds):
        self._in_use(lambda chip, c: [chip.wait(_own(seconds, c))])

    def oracle(self, x, bias=None):
        """As `Device.oracle`; clipping at the lowered supply is left out, as that of converters is."""
        x, happened = self._warmed(x), self._happened()
        slope, weights = self._in_use(lambda chip, c: [*chip.oracle(_inputs_of(x, c), _bias_of(bias, c))])
        after = defects.silenced(slope * self.left.sqrt(), self.dead), weights * self.gain
        return Truth(torch.where(happened, after[0], slope), torch.where(happened, after[1], weights))

    @override
    def pullback(self, x, error, bias=None):
        x, after = self._warmed(x), defects.silenced(error * self.left.sqrt(), self.dead)
        error = torch.where(self._happened(), after, error)
        return self._in_use(lambda chip, c: [chip.pullback(_inputs_of(x, c), error[c], _bias_of(bias, c))])[0]

    @override
    def knows_truth(self):
        return self.chip.knows_truth()

    def _happened(self) -> torch.Tensor:
        """Tell which chips are faulty, ``(chips, 1, 1)``."""
        return self.writes >= self.at_write

    def _in_use(self, act: Callable[[Any, slice], list[Any]]) -> list[Any]:
        """Let the chips that are there act, all at once or each that was swapped by itself, and join what they return.

        Args:
            act: Takes a device and which chips it stands for; returns tensors, the chips first, or None.
        """
        happened = self._happened().flatten().tolist()
        if self.spares is None or not any(happened):
            return act(self.chip, slice(None))
        old = [] if all(happened) else act(self.chip, slice(None))
        each = [
            act(spare, slice(c, c + 1)) if gone else [_own(part, slice(c, c + 1)) for part in old]
            for c, (gone, spare) in enumerate(zip(happened, self.spares, strict=True))
        ]
        return [None if any(part is None for part in parts) else torch.cat(parts) for parts in zip(*each, strict=True)]

    def _copy(self, those: torch.Tensor) -> None:
        """Program the spares of those chips, ``(chips, 1, 1)``, with the weights of the chips in use."""
        if self.spares is None or not self.chip.knows_truth():
            raise ContractError(
                f"Expected chips whose weights can be copied. Got {self.model.__name__}, which does not know its own. "
                "Take swapped = 'fabricated'."
            )
        nothing = torch.zeros(len(self.left), 1, self.datasheet.n_in, device=self.left.device)
        weights = self.chip.oracle(nothing).weights
        for c in those.flatten().nonzero().flatten().tolist():
            self.spares[c].program(weights[c : c + 1])  # type: ignore[operator]

    def _warmed(self, x: torch.Tensor) -> torch.Tensor:
        """Return what drives the lines, warmed after the fault."""
        return torch.where(self._happened(), self.datasheet.clipped(x) * self.gain, x)

    def _after(self, y: torch.Tensor) -> torch.Tensor:
        """Return what is read after the fault."""
        low, high = (_limit(limit, y) for limit in (self.datasheet.output_min, self.datasheet.output_max))
        y = y * self.left.sqrt()
        rest = torch.zeros((), device=y.device)
        if low is not None:
            y, rest = torch.maximum(y, torch.where(low < 0, low * self.left, low)), torch.maximum(rest, low)
        if high is not None:
            y, rest = torch.minimum(y, torch.where(high > 0, high * self.left, high)), torch.minimum(rest, high)
        return torch.where(self.dead, rest, y)


def _answered(chip: Device, x: Any, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
    return [answer(chip, x, *biases)]


def _inputs_of(x: Any, chips: slice) -> Any:
    """Return the inputs of some chips."""
    return SharedInputs(x.shared[chips], x.marks[chips]) if isinstance(x, SharedInputs) else x[chips]


def _bias_of(bias: torch.Tensor | None, chips: slice) -> torch.Tensor | None:
    """Return the bias of some chips; one that is for all of them stays."""
    return bias if bias is None or bias.dim() < 3 or bias.shape[0] == 1 else bias[chips]


def _own(value: Any, chips: slice) -> Any:
    """Return what some chips have for themselves, where it is not one number for all."""
    return value[chips] if isinstance(value, torch.Tensor) and value.dim() else value


@functools.cache
def faulty(model: type[Device]) -> type[Faulty]:
    """Return the class of chips of a class to which something happens, which takes its parameters beside its own.

    In a study file or on the command line it is ``model = "faulty(NAME)"``.
    """
    return wrapping(Faulty, model, f"A {model.__name__} chip to which something happens while it is in use")


def _limit(limit: PerChip | None, y: torch.Tensor) -> torch.Tensor | None:
    """Return a limit of the datasheet, to be broadcast over outputs."""
    return None if limit is None else torch.as_tensor(limit, dtype=y.dtype, device=y.device).reshape(-1, 1, 1)
