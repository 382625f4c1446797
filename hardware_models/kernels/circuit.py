"""What a signal meets on its way through a crossbar."""

from collections.abc import Callable
from typing import NamedTuple

import torch


class Codes(NamedTuple):
    r"""Weights as whole numbers, for cells that have states to count.

    .. math:: W_{ji} = u \sum_p 256^p\, k_{pij}
    """

    planes: torch.Tensor
    """int8 ``(chips, planes, n_in, n_out)``."""
    totals: torch.Tensor
    """int32 ``(chips, planes, n_out)``: sums over the inputs."""
    unit: torch.Tensor
    """Weight of a state, ``(chips, 1, 1)``."""


Detour = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From a signal ``(chips, batch, lines)`` and the input vectors read before, ``(chips,)``, to the signal that follows.

The second addresses noise; a detour without noise ignores it. The signal that comes in may be changed in place by
``neurons`` and ``outputs`` only.
"""


class Detours(NamedTuple):
    """What a signal meets in place of the plain steps of a read; None is the plain step."""

    inputs: Detour | None = None
    """From inputs to what is on the lines, in place of the DAC."""
    sums: Detour | None = None
    """From the lines to weighted sums, in place of the product; asked once for each bias."""
    neurons: Detour | None = None
    """From what the curve gives to what the neurons put out, before their noise."""
    outputs: Detour | None = None
    """From noisy outputs to what is read, in place of the ADC."""


class Circuit(NamedTuple):
    """Everything that decides a read; numbers are ``(chips, 1, 1)``, those of neurons ``(chips, 1, n_out)``."""

    input_min: torch.Tensor
    """Least input."""
    input_max: torch.Tensor
    """Greatest input."""
    dac_bits: torch.Tensor
    """Resolution of an input; 0 is continuous."""
    weights: torch.Tensor
    """``(chips, n_out, n_in)``."""
    weight_noise: torch.Tensor
    """Fluctuation of every weight from read to read."""
    gain: torch.Tensor
    """Of each neuron."""
    offset: torch.Tensor
    """Of each neuron."""
    curve: Callable[..., torch.Tensor]
    """``f(a, s)``."""
    steepness: torch.Tensor
    """The curve's ``s``."""
    read_noise: torch.Tensor
    """Standard deviation of an output."""
    output_min: torch.Tensor
    """Least output."""
    output_max: torch.Tensor
    """Greatest output."""
    adc_bits: torch.Tensor
    """Resolution of an output; 0 is continuous."""
    seeds: torch.Tensor
    """Chip seeds, ``(chips,)``."""
    reads: torch.Tensor
    """Input vectors read before, ``(chips,)``."""
    variance: torch.Tensor | None = None
    """``weight_noise`` squared, for each weight its own; takes its place if given."""
    codes: Codes | None = None
    """The weights once more, where the cells have states to count."""
    detours: Detours | None = None
    """Other ways for the signal, where it does not go the plain one; only the reference takes them."""


def of_chips(circuit: Circuit, chips: slice) -> Circuit:
    """Return the circuits of some chips; detours, which may know their chips, are left out."""
    parts = circuit._replace(codes=None, detours=None)
    sliced = {name: part[chips] for name, part in parts._asdict().items() if isinstance(part, torch.Tensor)}
    codes = circuit.codes and Codes(*(part[chips] for part in circuit.codes))
    return parts._replace(codes=codes, **sliced)
