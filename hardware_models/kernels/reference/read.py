"""A read of a crossbar, step by step as its equation says."""

from collections.abc import Sequence

import torch

from analogff.device import product
from hardware_models.effects.quantize import quantize
from hardware_models.effects.read_noise import sum_noise, sum_noise_of
from hardware_models.kernels.circuit import Circuit
from hardware_models.kernels.reference.philox import add_normal_
from hardware_models.kernels.streams import Stream


def read(circuit: Circuit, x: torch.Tensor, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
    r"""Return the outputs that inputs meet, read once for each bias.

    .. math::
        y = \mathrm{ADC}\left[f(g \circ (W q + b + \sigma \xi) + o; s) + \sigma_r \xi'\right], \quad
        q = \mathrm{DAC}[x]

    with :math:`\sigma = \sigma_W |q|`, or :math:`\sqrt{V q^2}` where each weight has a variance of its own.

    Shapes:
        ``x``: ``(chips, batch, n_in)``; a bias broadcasts to the answer, ``(chips, batch, n_out)``.
    """
    rows = x.shape[1]
    q = quantize(x, circuit.input_min, circuit.input_max, circuit.dac_bits)
    sums, sigma, answers = product(q, circuit.weights), noise_of_sums(circuit, q), []
    for n, bias in enumerate(biases):
        first_row = circuit.reads + n * rows
        answers.append(_finish(circuit, sums if bias is None else sums + bias, sigma, first_row))
    return answers


def _finish(circuit: Circuit, a: torch.Tensor, sigma: torch.Tensor, first_row: torch.Tensor) -> torch.Tensor:
    """Turn weighted sums, the noise of which is ``sigma``, into outputs."""
    a = add_normal_(a.clone(), sigma, circuit.seeds, first_row, Stream.WEIGHT_READ)
    y = circuit.curve(a.mul_(circuit.gain).add_(circuit.offset), circuit.steepness)
    add_normal_(y, circuit.read_noise, circuit.seeds, first_row, Stream.READ)
    return quantize(y, circuit.output_min, circuit.output_max, circuit.adc_bits)


def noise_of_sums(circuit: Circuit, q: torch.Tensor) -> torch.Tensor:
    """Return the standard deviation of the weighted sums of converted inputs."""
    if circuit.variance is None:
        return sum_noise(q, circuit.weight_noise)
    return sum_noise_of(q, circuit.variance)
