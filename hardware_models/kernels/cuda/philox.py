"""Random numbers addressed by position: `hardware_models.kernels.reference`, all chips in one launch."""

# A kernel is written in Python's words, but not to its types; and Triton need not be installed.
# pyright: reportIndexIssue=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportMissingImports=false

import math

import numpy as np
import torch
import triton
import triton.language as tl

from hardware_models.kernels import polynomials


def _single(number: float) -> float:
    """Return a number as single precision holds it."""
    return float(np.float32(number))


_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7 = (tl.constexpr(_single(c)) for c in polynomials.LOG)
_S0, _S1, _S2, _S3, _S4 = (tl.constexpr(_single(c)) for c in polynomials.SINE)
_C0, _C1, _C2, _C3, _C4 = (tl.constexpr(_single(c)) for c in polynomials.COSINE)
_LOG, _HALF_TURN = tl.constexpr(_single(-2 * math.log(2))), tl.constexpr(_single(math.pi / 2**32))
_2_31, _2_32 = tl.constexpr(2.0**-31), tl.constexpr(2.0**-32)
_ROOT_HALF = tl.constexpr(int(np.float32(0.5**0.5).view(np.int32)))
_ROWS, _COLUMNS = 32, 64  # of a program's tile; a power of two, and whole blocks of four columns


@triton.jit
def place(columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Return the rows, the columns and the blocks of four columns of this program's tile."""
    across = tl.cdiv(columns, COLUMNS)
    row = (tl.program_id(0) // across).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    left = tl.program_id(0) % across * COLUMNS
    return row, left + tl.arange(0, COLUMNS)[None, :], left // 4 + tl.arange(0, COLUMNS // 4)[None, :]


def places(chips: int, rows: int, columns: int, tile: tuple[int, int]) -> tuple[int, int]:
    """Return the grid of programs for `place`."""
    return triton.cdiv(rows, tile[0]) * triton.cdiv(columns, tile[1]), chips


@triton.jit
def words(seed, row, block, stream):
    """Return the four words of some rows, int64 ``(rows, 1)``, and blocks ``(1, blocks)``; see `reference`."""
    low, high = (row & 0xFFFFFFFF).to(tl.uint32), ((row >> 32) & 0xFFFFFFFF).to(tl.uint32)
    return tl.philox(seed, low, high, block, stream)


@triton.jit
def normals(seed, row, block, stream):
    """Return standard normals, ``(rows, 4 blocks)``."""
    w0, w1, w2, w3 = words(seed, row, block, stream)
    z0, z1 = _box_muller(w0, w1)
    z2, z3 = _box_muller(w2, w3)
    return _in_turn(z0, z1, z2, z3)


@triton.jit
def _in_turn(v0, v1, v2, v3):
    """Put the four numbers of each block side by side."""
    return tl.interleave(tl.interleave(v0, v2), tl.interleave(v1, v3))


@triton.jit
def _box_muller(u, v):
    """Convert two words to two normals, in the same steps as the CPU kernel."""
    share = tl.fma((u >> 1).to(tl.int32).to(tl.float32), _2_31, _2_32)
    bits = share.to(tl.int32, bitcast=True)
    exponent = (bits - _ROOT_HALF) >> 23
    f = (bits - (exponent << 23)).to(tl.float32, bitcast=True) - 1.0
    p = tl.fma(tl.fma(tl.fma(tl.fma(tl.full(f.shape, _L0, tl.float32), f, _L1), f, _L2), f, _L3), f, _L4)
    p = tl.fma(tl.fma(tl.fma(p, f, _L5), f, _L6), f, _L7)
    radius = tl.sqrt_rn(tl.fma(exponent.to(tl.float32), _LOG, p * f))
    half = v.to(tl.int32, bitcast=True).to(tl.float32) * _HALF_TURN
    z = half * half
    p = tl.fma(tl.fma(tl.fma(tl.fma(tl.full(z.shape, _S0, tl.float32), z, _S1), z, _S2), z, _S3), z, _S4)
    sine, twice = p * half, p * (half + half)
    c = tl.fma(tl.fma(tl.fma(tl.fma(tl.full(z.shape, _C0, tl.float32), z, _C1), z, _C2), z, _C3), z, _C4)
    return radius * tl.fma(-twice, sine, 1.0), radius * (twice * c)


@triton.jit
def _fill(
    y, seeds, first_rows, rows, columns, stream, UNIFORM: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr
):
    chip = tl.program_id(1).to(tl.int64)
    row, column, block = place(columns, ROWS, COLUMNS)
    seed, address = tl.load(seeds + chip), tl.load(first_rows + chip) + row
    if UNIFORM:
        w0, w1, w2, w3 = words(seed, address, block, stream)
        drawn = (_in_turn(w0, w1, w2, w3) >> 8).to(tl.float32) * 5.960464477539063e-08  # 2^-24
    else:
        drawn = normals(seed, address, block, stream)
    tl.store(y + (chip * rows + row) * columns + column, drawn, mask=(row < rows) & (column < columns))


@triton.jit
def _add(
    y,
    y_chip,
    y_row,
    y_column,
    sigma,
    sigma_chip,
    sigma_row,
    sigma_column,
    seeds,
    first_rows,
    rows,
    columns,
    stream,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    chip = tl.program_id(1).to(tl.int64)
    row, column, block = place(columns, ROWS, COLUMNS)
    inside = (row < rows) & (column < columns)
    spread = tl.load(sigma + chip * sigma_chip + row * sigma_row + column * sigma_column, mask=inside, other=0.0)
    if tl.max((spread != 0).to(tl.int32)) > 0:
        here = y + chip * y_chip + row * y_row + column * y_column
        drawn = normals(tl.load(seeds + chip), tl.load(first_rows + chip) + row, block, stream)
        tl.store(here, tl.load(here, mask=inside, other=0.0) + spread * drawn, mask=inside)


def normal(seeds: torch.Tensor, first_row: torch.Tensor | int, rows: int, columns: int, stream: int) -> torch.Tensor:
    """Draw standard normals, float32 ``(chips, rows, columns)``; see `reference.normal`."""
    return _drawn(seeds, first_row, rows, columns, stream, uniform=False)


def uniform(seeds: torch.Tensor, first_row: torch.Tensor | int, rows: int, columns: int, stream: int) -> torch.Tensor:
    """Draw from [0, 1), float32 ``(chips, rows, columns)``; see `reference.uniform`."""
    return _drawn(seeds, first_row, rows, columns, stream, uniform=True)


def add_normal_(
    y: torch.Tensor, sigma: torch.Tensor, seeds: torch.Tensor, first_row: torch.Tensor | int, stream: int
) -> torch.Tensor:
    """Draw normals and add them, times ``sigma``, in place; see `reference.add_normal_`."""
    chips, rows, columns = y.shape
    spread, first_rows = sigma.expand_as(y), _first_rows(first_row, seeds)
    _add[places(chips, rows, columns, (_ROWS, _COLUMNS))](
        y,
        *y.stride(),
        spread,
        *spread.stride(),
        seeds.contiguous(),
        first_rows,
        rows,
        columns,
        int(stream),
        _ROWS,
        _COLUMNS,
        enable_fp_fusion=False,
    )
    return y


def _drawn(seeds, first_row, rows, columns, stream, *, uniform):
    y = torch.empty(len(seeds), rows, columns, device=seeds.device)
    _fill[places(len(seeds), rows, columns, (_ROWS, _COLUMNS))](
        y,
        seeds.contiguous(),
        _first_rows(first_row, seeds),
        rows,
        columns,
        int(stream),
        uniform,
        _ROWS,
        _COLUMNS,
        enable_fp_fusion=False,
    )
    return y


def _first_rows(first_row: torch.Tensor | int, seeds: torch.Tensor) -> torch.Tensor:
    if isinstance(first_row, int):  # filled on the device: a graph cannot record a copy from the host
        return torch.full_like(seeds, first_row)
    return first_row.to(seeds).expand(seeds.shape).contiguous()
