"""A probabilistic bit as a neuron: a magnet so small that it flips by itself, which a sum inclines one way."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le
from typing_extensions import override

from analogff.device import Datasheet
from hardware_models import kernels
from hardware_models.array.neuron_array import NeuronArray, for_all, printed, with_circuit_periphery
from hardware_models.array.parameters import NonNegative
from hardware_models.array.periphery import ADC_STEP_JOULES, SETTLE_SECONDS, Periphery
from hardware_models.array.programmed import Programming
from hardware_models.array.stages.stage import Stage
from hardware_models.kernels.streams import Stream, of_conversion

SAMPLE_SECONDS = 10e-9
"""Time from bit to bit: several times that in which a low-barrier magnet forgets, about 1 ns (assumed)."""
SAMPLE_JOULES = ADC_STEP_JOULES
"""Energy of a bit, magnet, comparator and counter: that of a converter's step (assumed)."""
MEAN_SAMPLES = 256
"""Bits that a neuron modeled as the mean of all is charged for: as many as an 8-bit converter has steps."""


@with_circuit_periphery(
    *("read_noise", "neuron_flicker", "adc_bits"),
    *("adc_gain_error", "adc_offset_lsb", "adc_inl_lsb", "adc_kind", "adc_noise_lsb"),
    adc_bits=0,
)
class PBit(NeuronArray):
    r"""Neurons that answer with bits, each 1 with a probability that the sum decides; a read counts several of them.

    .. math::
        y = \frac{1}{S} \sum_{k=1}^{S} [r_k < p], \quad p = \frac{1}{2} \left(1 + \tanh \frac{V}{V_0}\right), \quad
        V = u a - V_r + \delta_j

    with ``r_k`` uniform in 0 to 1. A bit is a new one each time: samples are further apart than the magnet's
    memory. The mean of a read is ``p``, its variance ``p (1 - p) / S``. Bits are counted, not converted: there is no
    ADC, and no noise but theirs. Its `oracle` is the slope of ``p``.

    Units:
        A sum of 1 is ``unit_volts``; an output of 1 is a neuron whose bits are all 1. The array is driven while bits
        are counted, each for 10 ns, so that time and energy of a read grow with ``samples``.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        samples: ``S``, bits that a read averages; 0 reads their mean, and is charged for 256.
        unit_volts: ``u``, volts of a sum of 1.
        reference_volts: ``V_r``, where both answers are equally likely.
        width_volts: ``V_0``, where 88 % of the bits are 1 (76 % more than are 0); no source (assumed).
        offset_volts: Spread of the references from neuron to neuron.

    Reference:
        Camsari, Faria, Sutton and Datta, Physical Review X 7, 031014 (2017), equation 1, with bits of 0 and 1 in place
        of -1 and 1.
    """

    offset_volts: torch.Tensor
    samples: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        samples: Annotated[int, Ge(0), Le(2**16)] = 16,
        unit_volts: Annotated[float, Gt(0)] = 0.05,
        reference_volts: float = 0.05,
        width_volts: Annotated[float, Gt(0)] = 0.05,
        offset_volts: NonNegative = 0.005,
    ):
        design = for_all(unit_volts=unit_volts, reference_volts=reference_volts, width_volts=width_volts)
        count = for_all(samples=samples)
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=printed(probability, **design, shift_volts=0.0),
            offset_volts=offset_volts,
            **count,
            **design,
        )
        self.datasheet = _counted(self.datasheet, samples or MEAN_SAMPLES)
        self._design = tuple(design)
        self._keep("shift_volts", self.offset_volts * self._fabricated(Stream.INPUT_OFFSET, 1, n_out))

    def _curve(self, chips):
        return self._law(probability, chips, *self._design, "shift_volts")

    def _neuron_stages(self):
        count = int(self.samples.flatten()[0])
        return (CountedBits(count),) if count else ()


@dataclasses.dataclass(frozen=True)
class CountedBits(Stage):
    """The share of ones among bits that are each 1 with the probability that comes in."""

    count: int

    @override
    def apply(self, signal):
        p, seeds, (rows, columns) = signal.value, signal.chips.circuit.seeds, signal.value.shape[1:]
        ones = torch.zeros_like(p)
        for k in range(self.count):
            ones += kernels.uniform(seeds, signal.first_row, rows, columns, of_conversion(Stream.P_BIT, k)) < p
        return signal.replaced(torch.where(p.isnan(), p, ones / self.count))  # an undefined sum is no silent neuron


def probability(
    a: torch.Tensor,
    *,
    unit_volts: torch.Tensor,
    reference_volts: torch.Tensor,
    width_volts: torch.Tensor,
    shift_volts: torch.Tensor,
) -> torch.Tensor:
    """Return how probable a 1 is at weighted sums; the equation and the arguments are those of `PBit`."""
    return torch.sigmoid(2 * (unit_volts * a + (shift_volts - reference_volts)) / width_volts)


def _counted(sheet: Datasheet, samples: int) -> Datasheet:
    """Return the sheet of an array that is driven while so many bits are counted."""
    seconds = samples * SAMPLE_SECONDS
    return dataclasses.replace(
        sheet,
        adc_seconds=seconds,
        adc_joules=samples * SAMPLE_JOULES,
        read_joules=sheet.read_joules * (1 + seconds / SETTLE_SECONDS),
        signal_joules=sheet.signal_joules * (1 + seconds / SETTLE_SECONDS),
    )
