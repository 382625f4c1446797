"""A read of a crossbar, step by step as its equation says."""

import torch

from analogff.device import product
from hardware_models.effects.noise import sum_noise, sum_noise_of
from hardware_models.effects.quantise import quantise
from hardware_models.kernels.circuit import Circuit
from hardware_models.kernels.reference.noise import add_normal_
from hardware_models.streams import Stream


def read(circuit: Circuit, x: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    r"""Return the outputs that inputs meet.

    .. math::
        y = \mathrm{ADC}\left[f(g \circ (W q + b + \sigma \xi) + o; s) + \sigma_r \xi'\right], \quad
        q = \mathrm{DAC}[x]

    with :math:`\sigma = \sigma_W |q|`, or :math:`\sqrt{V q^2}` where each weight has a variance of its own.

    Shapes:
        ``x``: ``(chips, batch, n_in)``; ``bias`` broadcasts to the answer, ``(chips, batch, n_out)``.
    """
    q = quantise(x, circuit.input_min, circuit.input_max, circuit.dac_bits)
    a = product(q, circuit.weights)
    if bias is not None:
        a += bias
    add_normal_(a, noise_of_sums(circuit, q), circuit.seeds, circuit.reads, Stream.WEIGHT_READ)
    y = circuit.curve(a.mul_(circuit.gain).add_(circuit.offset), circuit.steepness)
    add_normal_(y, circuit.read_noise, circuit.seeds, circuit.reads, Stream.READ)
    return quantise(y, circuit.output_min, circuit.output_max, circuit.adc_bits)


def noise_of_sums(circuit: Circuit, q: torch.Tensor) -> torch.Tensor:
    """Return the standard deviation of the weighted sums of converted inputs."""
    if circuit.variance is None:
        return sum_noise(q, circuit.weight_noise)
    return sum_noise_of(q, circuit.variance)
