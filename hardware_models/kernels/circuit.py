"""The circuit of a crossbar's read path."""

from collections.abc import Callable
from typing import NamedTuple

import torch


class Codes(NamedTuple):
    r"""Weights as whole numbers, for cells with discrete states.

    .. math:: W_{ji} = u \sum_p 256^p\, k_{pij}
    """

    planes: torch.Tensor
    """int8 ``(chips, planes, n_in, n_out)``."""
    totals: torch.Tensor
    """int32 ``(chips, planes, n_out)``: sums over the inputs."""
    unit: torch.Tensor
    """Weight of a state, ``(chips, 1, 1)``."""


class Circuit(NamedTuple):
    """All parameters of a read; numbers are ``(chips, 1, 1)``, those of neurons ``(chips, 1, n_out)``."""

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
    """``weight_noise`` squared for each weight; replaces it if given."""
    codes: Codes | None = None
    """The weights as whole numbers, for cells with discrete states."""


def of_chips(circuit: Circuit, chips: slice) -> Circuit:
    """Return the circuits of some chips."""
    parts = circuit._replace(codes=None)
    sliced = {name: part[chips] for name, part in parts._asdict().items() if isinstance(part, torch.Tensor)}
    codes = circuit.codes and Codes(*(part[chips] for part in circuit.codes))
    return parts._replace(codes=codes, **sliced)
