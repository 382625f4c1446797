"""A read of a crossbar, step by step as its equation says."""

from collections.abc import Callable, Sequence

import torch

from analogff.device import product
from hardware_models.effects.quantize import quantize
from hardware_models.effects.read_noise import sum_noise, sum_noise_of
from hardware_models.kernels.circuit import Circuit, Detour, Detours
from hardware_models.kernels.reference.philox import add_normal_
from hardware_models.kernels.streams import Stream


def read(
    circuit: Circuit,
    x: torch.Tensor,
    biases: Sequence[torch.Tensor | None],
    add_noise: Callable[..., torch.Tensor] = add_normal_,
) -> list[torch.Tensor]:
    r"""Return the outputs that inputs meet, read once for each bias.

    .. math::
        y = \mathrm{ADC}\left[f(g \circ (W q + b + \sigma \xi) + o; s) + \sigma_r \xi'\right], \quad
        q = \mathrm{DAC}[x]

    with :math:`\sigma = \sigma_W |q|`, or :math:`\sqrt{V q^2}` where each weight has a variance of its own. Where the
    circuit has detours, they stand in place of the steps that they are named for.

    Shapes:
        ``x``: ``(chips, batch, n_in)``; a bias broadcasts to the answer, ``(chips, batch, n_out)``.
    """
    ways, rows = circuit.detours or Detours(), x.shape[1]
    q = (ways.inputs or _dac(circuit))(x, circuit.reads)
    sums = ways.sums or _constant(product(q, circuit.weights))
    sigma, answers = noise_of_sums(circuit, q), []
    for n, bias in enumerate(biases):
        first_row = circuit.reads + n * rows
        a = sums(q, first_row)
        answers.append(finish(circuit, a if bias is None else a + bias, sigma, first_row, add_noise))
    return answers


def finish(
    circuit: Circuit,
    a: torch.Tensor,
    sigma: torch.Tensor,
    first_row: torch.Tensor,
    add_noise: Callable[..., torch.Tensor] = add_normal_,
) -> torch.Tensor:
    """Turn weighted sums, the noise of which is ``sigma``, into outputs."""
    ways = circuit.detours or Detours()
    a = add_noise(a.clone(), sigma, circuit.seeds, first_row, Stream.WEIGHT_READ)
    y = circuit.curve(a.mul_(circuit.gain).add_(circuit.offset), circuit.steepness)
    y = (ways.neurons or _untouched)(y, first_row)
    add_noise(y, circuit.read_noise, circuit.seeds, first_row, Stream.READ)
    return (ways.outputs or _adc(circuit))(y, first_row)


def _dac(circuit: Circuit) -> Detour:
    return lambda x, _: quantize(x, circuit.input_min, circuit.input_max, circuit.dac_bits)


def _adc(circuit: Circuit) -> Detour:
    return lambda y, _: quantize(y, circuit.output_min, circuit.output_max, circuit.adc_bits)


def _constant(a: torch.Tensor) -> Detour:
    return lambda *_: a


def _untouched(signal: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return signal


def noise_of_sums(circuit: Circuit, q: torch.Tensor) -> torch.Tensor:
    """Return the standard deviation of the weighted sums of converted inputs."""
    if circuit.variance is None:
        return sum_noise(q, circuit.weight_noise)
    return sum_noise_of(q, circuit.variance)
