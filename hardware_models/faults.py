"""Faults over time: a chip of any class to which something happens while it is in use."""

import functools
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Gt

from analogff.device import ContractError, Device, Marked, PerChip, Truth, answer, derive_seed, fabricate, wrapping
from hardware_models import kernels
from hardware_models.effects import defects
from hardware_models.effects.temperature import ROOM_KELVIN, arrhenius
from hardware_models.parameters import Share, per_chip, require_allowed
from hardware_models.streams import Stream

ACTIVATION_ELECTRONVOLTS = 0.1
"""Of a conductance that grows with temperature, where none is told (assumed): 13 % for 10 K."""


class Faulty(Device):
    r"""A chip of another class, that some writes later is not what it was.

    .. math::
        y = \begin{cases}
            f(W x + b) & \text{for the first } n \text{ writes} \\
            \mathrm{clip}\left[\sqrt{1 - s}\, f(g\, W x + b),\ (1 - s)\, y_\mathrm{max}\right] & \text{from then on}
        \end{cases}, \quad g = e^{E_a (1/T_0 - 1/(T_0 + \Delta T)) / k_B}

    Writes are counted by calls of `pulse` that ask for any change; before the fault the chip is bitwise that of its
    class. Several faults may be told at once; all happen together, and stay.

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
        at_write: So many calls of `pulse` go well; with 0 the chip is faulty from the start.
        dead_columns: Share of the output lines that die.
        warming_kelvin: Change of the temperature, from 300 K.
        activation_electronvolts: ``E_a`` of the conductances, 0.1 if none is given; negative if they fall when warm.
        supply_sag: Share ``s`` of the supply that is missing.
        swapped: Whether the chip is replaced, and which weights the new one has.
        parameters: Of the class.

    Example:
        >>> from hardware_models.ideal import Ideal
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
        at_write: Annotated[int, Ge(0)] = 0,
        dead_columns: Share = 0.0,
        warming_kelvin: Annotated[PerChip, Gt(-ROOM_KELVIN)] = 0.0,
        activation_electronvolts: PerChip | None = None,
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
        self.chip, self.copied, self.spare = chip, swapped == "copied", None
        if swapped != "no":
            others = [derive_seed(s, "spare") for s in seeds.tolist()]
            self.spare = fabricate(self.model, n_in, n_out, seeds=others, parameters=parameters)
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
        self.register_buffer("writes", torch.zeros((), dtype=torch.int64))
        self.register_buffer("at_write", torch.tensor(at_write))
        self.register_buffer("dead", defects.dead(kernels.uniform(seeds, 0, 1, n_out, Stream.FAULT), dead))
        self.register_buffer("gain", arrhenius(ROOM_KELVIN + warming, energy))
        self.register_buffer("left", 1 - sag)
        if self.copied:  # even where it happens later: a class that cannot be copied should say so now
            self._copy()

    @classmethod
    def check_size(cls, n_in, n_out, **parameters):  # noqa: D102
        cls.model.check_size(n_in, n_out, **parameters)

    @classmethod
    def check_image(cls, n_in, image, **parameters):  # noqa: D102
        cls.model.check_image(n_in, image, **parameters)

    def measure(self, x, bias=None):  # noqa: D102
        return self._read(x, lambda chip, x: [answer(chip, x, bias)])[0]

    def measure_marked(self, x, bias=None):  # noqa: D102
        return self._read(x, lambda chip, x: [answer(chip, x, bias)])[0]

    def measure_biased(self, x, biases):  # noqa: D102
        return self._read(x, lambda chip, x: chip.measure_biased(x, biases))

    def _read(self, x: Any, ask: Callable[[Device, Any], list[torch.Tensor]]) -> list[torch.Tensor]:
        if not self._happened():
            return ask(self.chip, x)
        if isinstance(x, Marked):
            x = Marked(self._warmed(x.shared), self._warmed(x.marks.flatten(1, 2)).view_as(x.marks))
        else:
            x = self._warmed(x)
        return [self._after(y) for y in ask(self._replaced(), x)]

    def pulse(self, change):  # noqa: D102
        steps = self._in_use().pulse(change)
        self.writes += change.any()
        if self.copied and self.writes == self.at_write:
            self._copy()
        return steps

    def program(self, weights):  # noqa: D102
        return self._in_use().program(weights)

    def wait(self, seconds):  # noqa: D102
        self._in_use().wait(seconds)

    def oracle(self, x, bias=None):
        """As `Device.oracle`; clipping at the lowered supply is left out, as that of converters is."""
        if not self._happened():
            return self.chip.oracle(x, bias)
        slope, weights = self._replaced().oracle(self._warmed(x), bias)
        return Truth(defects.silenced(slope * self.left.sqrt(), self.dead), weights * self.gain)

    def knows_truth(self):  # noqa: D102
        return self.chip.knows_truth()

    def _happened(self) -> bool:
        return bool(self.writes >= self.at_write)

    def _in_use(self) -> Device:
        return self._replaced() if self._happened() else self.chip

    def _replaced(self) -> Device:
        """Return the chip that is there after the fault."""
        return self.chip if self.spare is None else self.spare

    def _copy(self) -> None:
        """Program the spare chip with the weights of the one in use."""
        if self.spare is None or not self.chip.knows_truth():
            raise ContractError(
                f"Expected chips whose weights can be copied. Got {self.model.__name__}, which does not know its own. "
                "Take swapped = 'fabricated'."
            )
        nothing = torch.zeros(len(self.left), 1, self.datasheet.n_in, device=self.left.device)
        self.spare.program(self.chip.oracle(nothing).weights)

    def _warmed(self, x: torch.Tensor) -> torch.Tensor:
        """Return what drives the lines after the fault."""
        sheet = self.datasheet
        if sheet.input_min is not None or sheet.input_max is not None:
            x = x.clamp(sheet.input_min, sheet.input_max)
        return x * self.gain

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


@functools.cache
def faulty(model: type[Device]) -> type[Faulty]:
    """Return the class of chips of a class to which something happens, which takes its parameters beside its own.

    In a study file or on the command line it is ``model = "faulty(NAME)"``.
    """
    return wrapping(Faulty, model, f"A {model.__name__} chip to which something happens while it is in use")


def _limit(limit: PerChip | None, y: torch.Tensor) -> torch.Tensor | None:
    """Return a limit of the datasheet, to be broadcast over outputs."""
    return None if limit is None else torch.as_tensor(limit, dtype=y.dtype, device=y.device).reshape(-1, 1, 1)
