"""A whole read on a GPU in one launch: convert, multiply and finish, tile by tile, for all chips.

The weighted sums of a tile stay in registers while they are finished once for each bias: several reads of an input
cost one product, and no sum is ever written to memory. The converters of the inputs are applied where a tile is
loaded. That repeats them for every tile of outputs, which is little beside the products of that tile.
"""

# A kernel is written in Python's words, but not to its types; and Triton need not be installed.
# pyright: reportIndexIssue=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportMissingImports=false

from collections.abc import Sequence

import torch
import triton
import triton.language as tl

from analogff.device import Marked, whole
from hardware_models.kernels.circuit import Circuit
from hardware_models.kernels.cuda.curves import CODES, bend
from hardware_models.kernels.cuda.noise import normals, place, places
from hardware_models.streams import Stream

_ROWS, _COLUMNS, _DEPTH = 64, 64, 16  # of a program's tile, and inputs at a time; powers of two from 16 up
_WARPS = 8  # so many that no program has to put registers aside
_TO_WHOLE = tl.constexpr(8388608.0)  # 2^23: added to a number from 0 up it leaves no bits for a fraction
_WEIGHT_READ, _READ = tl.constexpr(int(Stream.WEIGHT_READ)), tl.constexpr(int(Stream.READ))


@triton.jit
def quantise(v, low, high, bits):
    """Put signals through a converter; see `effects.quantise`.

    What lies below ``low`` may round to anything below it, since it is clipped.
    """
    steps = ((tl.full((), 1, tl.int32) << bits.to(tl.int32)) - 1).to(tl.float32)
    steps = tl.where(bits > 0, steps, 1.0)
    code = ((v - low) * tl.div_rn(steps, high - low) + _TO_WHOLE) - _TO_WHOLE
    v = tl.where(bits > 0, code * tl.div_rn(high - low, steps) + low, v)
    v = tl.where(v < low, low, v)
    return tl.where(v > high, high, v)


@triton.jit
def _converted(x, line_stride, row_inside, line, n_in, low, high, bits):
    """Load a tile of inputs and put it through its converters; 0 beyond the last row and line."""
    inside = row_inside & (line < n_in)
    v = tl.load(x + line * line_stride, mask=inside, other=0.0)
    return tl.where(inside, quantise(v, low, high, bits), 0.0)


@triton.jit
def _weighted(
    x, line_stride, row_inside, matrix, column_inside, n_in, low, high, bits, SQUARED: tl.constexpr, DEPTH: tl.constexpr
):
    """Return the sums of converted inputs, or of their squares, times a matrix, in single precision."""
    sums = tl.zeros((row_inside.shape[0], column_inside.shape[1]), tl.float32)
    for start in range(0, n_in, DEPTH):
        q = _converted(x, line_stride, row_inside, start + tl.arange(0, DEPTH)[None, :], n_in, low, high, bits)
        line = start + tl.arange(0, DEPTH)[:, None]
        w = tl.load(matrix + line, mask=column_inside & (line < n_in), other=0.0)
        sums = tl.dot(q * q if SQUARED else q, w, sums, input_precision="ieee")
    return sums


@triton.jit
def _length(x, line_stride, row_inside, n_in, low, high, bits, DEPTH: tl.constexpr):
    """Return the lengths of converted inputs, ``(rows, 1)``."""
    squares = tl.zeros((row_inside.shape[0], DEPTH), tl.float32)
    for start in range(0, n_in, DEPTH):
        q = _converted(x, line_stride, row_inside, start + tl.arange(0, DEPTH)[None, :], n_in, low, high, bits)
        squares += q * q
    return tl.sqrt_rn(tl.sum(squares, 1)[:, None])


@triton.jit
def _read(
    y,
    x,
    x_chip,
    x_row,
    x_line,
    biases,
    bias_read,
    bias_chip,
    bias_row,
    bias_column,
    weights,
    variance,
    weight_noise,
    input_min,
    input_max,
    dac_bits,
    gain,
    offset,
    steepness,
    read_noise,
    output_min,
    output_max,
    adc_bits,
    seeds,
    reads,
    count,
    rows,
    n_in,
    n_out,
    CODE: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    DEPTH: tl.constexpr,
):
    """Read a tile ``count`` times; ``biases`` and ``variance`` may be None, numbers and matrices are dense."""
    chip = tl.program_id(1).to(tl.int64)
    row, column, block = place(n_out, ROWS, COLUMNS)
    row_inside, column_inside = row < rows, column < n_out
    inside = row_inside & column_inside
    low, high, bits = tl.load(input_min + chip), tl.load(input_max + chip), tl.load(dac_bits + chip)
    x += chip * x_chip + row * x_row
    cells = (chip * n_out + column) * n_in
    a = _weighted(x, x_line, row_inside, weights + cells, column_inside, n_in, low, high, bits, False, DEPTH)
    if variance is not None:
        v = _weighted(x, x_line, row_inside, variance + cells, column_inside, n_in, low, high, bits, True, DEPTH)
        sigma = tl.sqrt_rn(v)
    else:
        sigma = tl.zeros((ROWS, 1), tl.float32)
        strength = tl.load(weight_noise + chip)
        if strength != 0:
            sigma = strength * _length(x, x_line, row_inside, n_in, low, high, bits, DEPTH)
    fluctuates = tl.max((sigma != 0).to(tl.int32)) > 0
    neuron = chip * n_out + column
    g = tl.load(gain + neuron, mask=column_inside, other=0.0)
    o = tl.load(offset + neuron, mask=column_inside, other=0.0)
    s, noise, seed = tl.load(steepness + chip), tl.load(read_noise + chip), tl.load(seeds + chip)
    least, most, resolution = tl.load(output_min + chip), tl.load(output_max + chip), tl.load(adc_bits + chip)
    for n in range(count):
        address = tl.load(reads + chip) + n * rows + row
        t = a
        if biases is not None:
            there = biases + n * bias_read + chip * bias_chip + row * bias_row + column * bias_column
            t += tl.load(there, mask=inside, other=0.0)
        if fluctuates:
            t += sigma * normals(seed, address, block, _WEIGHT_READ)
        t = bend(t * g + o, s, CODE)
        if noise != 0:
            t += noise * normals(seed, address, block, _READ)
        out = ((n * tl.num_programs(1) + chip) * rows + row) * n_out + column
        tl.store(y + out, quantise(t, least, most, resolution), mask=inside)


def takes(circuit: Circuit) -> bool:
    """Tell whether the way is the plain one, and the curve one that there is a kernel for."""
    return circuit.detours is None and circuit.curve in CODES


def read(circuit: Circuit, x: torch.Tensor | Marked, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
    """Return what `reference.read` does, up to rounding, which a converter may lift to a step.

    A marked input is written out first. Nothing here waits for the device or depends on what its numbers are, so that
    a read can be recorded in a CUDA graph, and one that is replayed starts at the ``reads`` of that time.
    """
    chips, n_out, n_in = circuit.weights.shape
    rows = x.shape[1]
    x = whole(x).expand(chips, -1, -1)
    y = x.new_empty(len(biases), chips, rows, n_out)
    bias = _stacked(biases, y)
    dense = {name: v.contiguous() for name, v in circuit._asdict().items() if isinstance(v, torch.Tensor)}
    _read[places(chips, rows, n_out, (_ROWS, _COLUMNS))](
        y,
        x,
        *x.stride(),
        bias,
        *((0, 0, 0, 0) if bias is None else bias.stride()),
        variance=dense.pop("variance", None),
        **dense,
        count=len(biases),
        rows=rows,
        n_in=n_in,
        n_out=n_out,
        CODE=CODES[circuit.curve],
        ROWS=_ROWS,
        COLUMNS=_COLUMNS,
        DEPTH=_DEPTH,
        num_warps=_WARPS,
        enable_fp_fusion=False,  # rounds as torch's separate operations do
    )
    return list(y.unbind())


def _stacked(biases: Sequence[torch.Tensor | None], y: torch.Tensor) -> torch.Tensor | None:
    """Return biases as one tensor with the shape of all outputs, most of it expanded; None if there is no bias."""
    if all(bias is None for bias in biases):
        return None
    full = [y.new_zeros(()) if bias is None else bias for bias in biases]
    full = torch.broadcast_tensors(*(bias.reshape((1,) * (3 - bias.dim()) + bias.shape) for bias in full))
    return torch.stack(full).expand_as(y)
