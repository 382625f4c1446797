"""Times and energies of the parts of a chip, from datasheets, architecture and prices."""

import dataclasses
import math
from collections.abc import Sequence

import torch

from analogff.device.datasheet import Datasheet, PerChip
from analogff.system.prices import Prices
from analogff.system.work import WORD_BYTES, Work
from analogff.timeline.architecture import Architecture


@dataclasses.dataclass(frozen=True, kw_only=True)
class Act:
    """One use of a part."""

    seconds: float
    """How long it takes."""
    joules: float
    """Its energy, that of memory aside."""
    memory_joules: float = 0.0
    """Energy of the memory's traffic."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Read:
    """A read of all tiles of a layer, side by side."""

    dac: Act
    settle: Act
    adc: Act


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """A layer of the chip."""

    name: str
    """`layer 1` to the `head`."""
    shape: tuple[int, int]
    """Inputs and outputs."""
    digital_weights: bool
    """Whether its weights are numbers: a read is a digital product."""
    analog: bool
    """Whether a read takes an array and converters; true behind digital weights where those are a chip's inputs."""
    reads_per_vector: int
    """Reads that an input vector takes."""
    read: Read
    """From inputs to outputs."""
    back: Read
    """From outputs to inputs."""
    write: Act
    """Of all weights, once."""
    partial_sums: int
    """Additions that a read leaves to digital logic."""
    back_sums: int
    """Additions that a read from the outputs leaves."""

    @property
    def product(self) -> Work:
        """The digital work of reading digital weights, as `analogff.system.system_cost` counts it."""
        return Work(math.prod(self.shape), WORD_BYTES * sum(self.shape))

    @property
    def change(self) -> Work:
        """The digital work of writing them."""
        return Work(math.prod(self.shape), 2 * WORD_BYTES * math.prod(self.shape))


@dataclasses.dataclass(frozen=True)
class Hardware:
    """A chip.

    Args:
        stages: Its layers, the head last.
        architecture: What stands around the arrays.
        prices: Of digital work.
        kept_bytes: Memory that learning needs at a time, which decides the share of traffic that leaves the chip.
    """

    stages: tuple[Stage, ...]
    architecture: Architecture
    prices: Prices
    kept_bytes: float

    @classmethod
    def of(
        cls,
        sheets: Sequence[Datasheet],
        architecture: Architecture | None = None,
        prices: Prices | None = None,
        kept_bytes: float = 0.0,
        chip: int = 0,
        pulses: Sequence[float] | None = None,
    ) -> "Hardware":
        """Return a chip of some datasheets, one a layer, the head last.

        Args:
            sheets: The datasheets, of banks those of all chips.
            architecture: What stands around the arrays.
            prices: Of digital work.
            kept_bytes: See the class.
            chip: Which one of a bank.
            pulses: Those that an update of each layer takes, on average; by default, or where the architecture says
                it, `Architecture.pulses_per_cell` for each cell.
        """
        architecture = architecture or Architecture()
        names = [*(f"layer {n}" for n in range(1, len(sheets))), "head"]
        given = [_pulses(n, sheet, architecture, pulses) for n, sheet in enumerate(sheets)]
        stages = [
            _stage(name, sheet, architecture, chip, own) for name, sheet, own in zip(names, sheets, given, strict=True)
        ]
        weights = WORD_BYTES * sum(math.prod(stage.shape) for stage in stages if stage.digital_weights)
        return cls(tuple(stages), architecture, prices or Prices(), kept_bytes + weights)

    def digital(self, work: Work) -> Act:
        r"""Return the time and energy of digital work: logic and memory side by side.

        .. math:: t = \max(N_\text{MAC} / r_\text{MAC}, N_\text{byte} / r_\text{byte})
        """
        given, prices = self.architecture, self.prices
        logic = work.macs / (given.digital_macs_per_second or prices.macs_per_second)
        memory = work.moved_bytes / (given.memory_bytes_per_second or prices.bytes_per_second)
        return Act(
            seconds=max(logic, memory),
            joules=work.macs * prices.mac_joules,
            memory_joules=work.moved_bytes * prices.byte_joules(self.kept_bytes),
        )


def _pulses(layer: int, sheet: Datasheet, given: Architecture, counted: Sequence[float] | None) -> float:
    if counted is not None and given.pulses_per_cell is None:
        return counted[layer]
    return (given.pulses_per_cell or 1.0) * sheet.n_in * sheet.n_out


def _stage(name: str, sheet: Datasheet, given: Architecture, chip: int, pulses: float) -> Stage:
    rows, columns = math.ceil(sheet.n_in / given.tile_rows), math.ceil(sheet.n_out / given.tile_columns)
    dacs, adcs = sheet.conversions
    energies = sheet.read_joules, sheet.signal_joules, sheet.dac_joules, sheet.adc_joules, sheet.pulse_joules
    array, signal, dac, adc, pulse = (_of_chip(value, chip) for value in energies)
    settle = Act(seconds=sheet.settle_seconds, joules=array + signal)
    parts = rows if sheet.adcs is None else 1  # a datasheet with a number of its own has counted its partial sums
    lines = min(sheet.n_in, given.tile_rows), min(sheet.n_out, given.tile_columns)
    at_once = min(rows, given.write_circuits or rows) * sheet.parallel_pulses
    return Stage(
        name=name,
        shape=(sheet.n_in, sheet.n_out),
        digital_weights=sheet.readable_weights,
        analog=not sheet.all_digital,
        reads_per_vector=sheet.reads_per_vector,
        read=Read(
            dac=Act(seconds=sheet.dac_seconds, joules=dacs * columns * dac),
            settle=settle,
            adc=Act(seconds=_conversion_seconds(sheet, given, lines[1]), joules=adcs * parts * adc),
        ),
        back=Read(
            dac=Act(seconds=sheet.dac_seconds, joules=adcs * parts * dac),
            settle=settle,
            adc=Act(seconds=_conversion_seconds(sheet, given, lines[0]), joules=dacs * columns * adc),
        ),
        write=Act(seconds=pulses * sheet.pulse_seconds / at_once, joules=pulses * pulse),
        partial_sums=(parts - 1) * sheet.n_out,
        back_sums=(columns - 1) * sheet.n_in,
    )


def _conversion_seconds(sheet: Datasheet, given: Architecture, lines: int) -> float:
    turns = sheet.adc_share if given.adcs_per_tile is None else math.ceil(lines / given.adcs_per_tile)
    return turns * sheet.adc_seconds


def _of_chip(value: PerChip, chip: int) -> float:
    if not isinstance(value, torch.Tensor):
        return float(value)
    each = value.reshape(-1)
    return float(each[chip if len(each) > 1 else 0])
