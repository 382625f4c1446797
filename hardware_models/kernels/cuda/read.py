"""A read on a GPU: convert the inputs, multiply, and finish the sums once for each bias.

The product is cuBLAS's: a product of our own, fused with the rest, took 7.3 times as long as the bare one on an H100 at
4096 x 4096. What surrounds it passes over each signal once. Several reads of an input cost one product.
"""

# A kernel is written in Python's words, but not to its types; and Triton need not be installed.
# pyright: reportIndexIssue=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportMissingImports=false

from collections.abc import Sequence

import torch
import triton
import triton.language as tl

from analogff.device import SharedInputs, product
from hardware_models.effects.read_noise import sum_noise
from hardware_models.kernels.circuit import Circuit
from hardware_models.kernels.cuda.neuron_curves import CODES, bend
from hardware_models.kernels.cuda.philox import normals, place, places
from hardware_models.kernels.streams import Stream

_ROWS, _COLUMNS = 16, 128  # of a program's tile; powers of two, whole blocks of four columns
_WARPS = 8
_TO_WHOLE = tl.constexpr(8388608.0)  # 2^23: added to a number from 0 up it leaves no bits for a fraction
_FINISHED = (
    "gain",
    "offset",
    "steepness",
    "read_noise",
    "output_min",
    "output_max",
    "adc_bits",
    "seeds",
    "reads",
)
_WEIGHT_READ, _READ = tl.constexpr(int(Stream.WEIGHT_READ)), tl.constexpr(int(Stream.READ))


@triton.jit
def quantize(v, low, high, bits):
    """Put signals through a converter; see `effects.quantize`.

    What lies below ``low`` may round to anything below it, since it is clipped.
    """
    steps = ((tl.full((), 1, tl.int32) << bits.to(tl.int32)) - 1).to(tl.float32)
    steps = tl.where(bits > 0, steps, 1.0)
    code = ((v - low) * tl.div_rn(steps, high - low) + _TO_WHOLE) - _TO_WHOLE
    v = tl.where(bits > 0, code * tl.div_rn(high - low, steps) + low, v)
    v = tl.where(v < low, low, v)
    return tl.where(v > high, high, v)


@triton.jit
def _convert(
    q,
    x,
    x_chip,
    x_row,
    x_line,
    low,
    high,
    bits,
    rows,
    n_in,
    silent,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Put inputs through the converters of each chip; the first ``silent`` lines are 0."""
    chip = tl.program_id(1).to(tl.int64)
    row, line, _ = place(n_in, ROWS, COLUMNS)
    inside = (row < rows) & (line < n_in)
    v = tl.load(x + chip * x_chip + row * x_row + line * x_line, mask=inside, other=0.0)
    v = quantize(v, tl.load(low + chip), tl.load(high + chip), tl.load(bits + chip))
    tl.store(q + (chip * rows + row) * n_in + line, tl.where(line < silent, 0.0, v), mask=inside)


@triton.jit
def _spread(sigma, sigma_column, there, column, n_out, inside):
    """Return the noise of sums, of each or of its row."""
    width = tl.where(sigma_column > 0, n_out, 1)
    return tl.load(sigma + there * width + column * sigma_column, mask=inside, other=0.0)


@triton.jit
def _amplifiers(gain, offset, neuron, inside):
    """Return gains and offsets of neurons."""
    return tl.load(gain + neuron, mask=inside, other=0.0), tl.load(offset + neuron, mask=inside, other=0.0)


@triton.jit
def _finish(
    y,
    sums,
    bias,
    bias_chip,
    bias_row,
    bias_column,
    sigma,
    sigma_column,
    gain,
    offset,
    steepness,
    read_noise,
    output_min,
    output_max,
    adc_bits,
    seeds,
    reads,
    before,
    rows,
    n_out,
    CODE: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Turn a tile of weighted sums into outputs; ``bias`` may be None, all else is dense.

    ``before`` is how many vectors were read since ``reads`` was. ``sigma`` is the noise of the sums, of each sum
    (``sigma_column`` 1) or of each row (0).
    """
    chip = tl.program_id(1).to(tl.int64)
    row, column, block = place(n_out, ROWS, COLUMNS)
    column_inside = column < n_out
    inside = (row < rows) & column_inside
    there = chip * rows + row
    a = tl.load(sums + there * n_out + column, mask=inside, other=0.0)
    spread = _spread(sigma, sigma_column, there, column, n_out, inside)
    fluctuates = tl.max((spread != 0).to(tl.int32)) > 0
    g, o = _amplifiers(gain, offset, chip * n_out + column, column_inside)
    s, noise, seed = tl.load(steepness + chip), tl.load(read_noise + chip), tl.load(seeds + chip)
    least, most, resolution = tl.load(output_min + chip), tl.load(output_max + chip), tl.load(adc_bits + chip)
    address = tl.load(reads + chip) + before + row
    if bias is not None:
        a += tl.load(bias + chip * bias_chip + row * bias_row + column * bias_column, mask=inside, other=0.0)
    if fluctuates:
        a += spread * normals(seed, address, block, _WEIGHT_READ)
    a = bend(a * g + o, s, CODE)
    if noise != 0:
        a += noise * normals(seed, address, block, _READ)
    tl.store(y + there * n_out + column, quantize(a, least, most, resolution), mask=inside)


def takes(circuit: Circuit) -> bool:
    """Tell whether the curve is one that there is a kernel for."""
    return circuit.curve in CODES


def read(circuit: Circuit, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
    """Return what `reference.read` does, up to rounding, which a converter may lift to a step.

    Nothing here waits for the device or depends on what its numbers are, so that a read can be recorded in a CUDA
    graph, and one that is replayed starts at the ``reads`` of that time. The sums are cuBLAS's, which may choose
    another order for another number of chips; noise and converters are the same bit by bit.
    """
    q = _converted(circuit, x)
    sums = product(q, circuit.weights).contiguous()
    sigma = _noise_of_sums(circuit, q)
    dense = {name: getattr(circuit, name).contiguous() for name in _FINISHED}
    return [_finished(circuit, sums, sigma, dense, n, bias) for n, bias in enumerate(biases)]


def _finished(
    circuit: Circuit,
    sums: torch.Tensor,
    sigma: torch.Tensor,
    dense: dict[str, torch.Tensor],
    number: int,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    """Return the answers to a read, of which there were ``number`` before with the same inputs."""
    chips, rows, n_out = sums.shape
    y = torch.empty_like(sums)
    if bias is not None:
        bias = bias.reshape((1,) * (3 - bias.dim()) + bias.shape).expand_as(y)
    _finish[places(chips, rows, n_out, (_ROWS, _COLUMNS))](
        y,
        sums,
        bias,
        *((0, 0, 0) if bias is None else bias.stride()),
        sigma=sigma,
        sigma_column=int(sigma.shape[2] > 1),
        **dense,
        before=number * rows,
        rows=rows,
        n_out=n_out,
        CODE=CODES[circuit.curve],
        ROWS=_ROWS,
        COLUMNS=_COLUMNS,
        num_warps=_WARPS,
        enable_fp_fusion=False,  # rounds as torch's separate operations do
    )
    return y


def _converted(circuit: Circuit, x: torch.Tensor | SharedInputs) -> torch.Tensor | SharedInputs:
    """Return inputs behind the DACs; what the variants of an image share is converted once."""
    if not isinstance(x, SharedInputs):
        return _behind_dacs(circuit, x, 0)
    lines, (chips, variants, batch) = x.marks.shape[-1], (len(circuit.seeds), *x.marks.shape[1:3])
    marks = x.marks.expand(chips, -1, -1, -1).reshape(chips, variants * batch, lines)
    marks = _behind_dacs(circuit, marks, 0).view(chips, variants, batch, lines)
    return SharedInputs(
        _behind_dacs(circuit, x.shared, lines), marks
    )  # the common lines do not include the marked ones


def _behind_dacs(circuit: Circuit, x: torch.Tensor, silent: int) -> torch.Tensor:
    chips, (rows, n_in) = len(circuit.seeds), x.shape[1:]
    x = x.expand(chips, -1, -1)
    q = x.new_empty(chips, rows, n_in)
    converter = (v.contiguous() for v in (circuit.input_min, circuit.input_max, circuit.dac_bits))
    _convert[places(chips, rows, n_in, (_ROWS, _COLUMNS))](
        q, x, *x.stride(), *converter, rows, n_in, silent, _ROWS, _COLUMNS, num_warps=_WARPS, enable_fp_fusion=False
    )
    return q


def _noise_of_sums(circuit: Circuit, q: torch.Tensor | SharedInputs) -> torch.Tensor:
    """Return the standard deviation of the sums, ``(chips, rows, n_out or 1)``."""
    if circuit.variance is not None:
        squares = SharedInputs(q.shared.square(), q.marks.square()) if isinstance(q, SharedInputs) else q.square()
        return product(squares, circuit.variance).sqrt_().contiguous()
    if not isinstance(q, SharedInputs):
        return sum_noise(q, circuit.weight_noise)
    lengths = torch.linalg.vector_norm(q.shared, dim=2).square().unsqueeze(1)
    lengths = lengths + torch.linalg.vector_norm(q.marks, dim=3).square()
    return circuit.weight_noise * lengths.flatten(1).sqrt().unsqueeze(2)
