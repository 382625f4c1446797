"""Random numbers addressed by position: `hardware_models.kernels.reference`, all chips in one launch."""

# A kernel is written in Python's words, but not to its types; and Triton need not be installed.
# pyright: reportIndexIssue=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportMissingImports=false

import torch
import triton
import triton.language as tl

_ROWS, _COLUMNS = 32, 64  # of a program's tile; a power of two, and whole blocks of four columns


@triton.jit
def place(columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Return the rows, the columns and the blocks of four columns of the tile that this program works on."""
    across = tl.cdiv(columns, COLUMNS)
    row = (tl.program_id(0) // across).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    left = tl.program_id(0) % across * COLUMNS
    return row, left + tl.arange(0, COLUMNS)[None, :], left // 4 + tl.arange(0, COLUMNS // 4)[None, :]


def places(chips: int, rows: int, columns: int, tile: tuple[int, int]) -> tuple[int, int]:
    """Return the grid of programs that `place` divides among."""
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
    """Turn two words into two normals; see `reference`.

    The angle is an eighth turn at most from one of the four quarters, whose rest is exact in single precision.
    """
    share = (u >> 1).to(tl.float32) * 4.656612873077393e-10 + 2.3283064365386963e-10  # 2^-31, 2^-32
    radius = tl.sqrt_rn(-2.0 * tl.log(share))
    quarter = ((v >> 29) + 1) >> 1
    rest = (v & 0x3FFFFFFF).to(tl.int32)
    rest = tl.where(rest < 0x20000000, rest, rest - 0x40000000)
    sine, cosine = _sine_cosine(rest.to(tl.float32) * 1.4629180792671596e-09)  # (pi / 2) / 2^30
    odd = (quarter & 1) == 1
    x, y = tl.where(odd, sine, cosine), tl.where(odd, cosine, sine)
    x = tl.where(((quarter + 1) & 2) == 2, -x, x)
    y = tl.where((quarter & 2) == 2, -y, y)
    return radius * x, radius * y


@triton.jit
def _sine_cosine(t):
    """Sine and cosine of an angle within an eighth turn of 0: polynomials of the Cephes library (Moshier, 1989)."""
    z = t * t
    sine = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * (z * t) + t
    quartic = (2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2
    return sine, (quartic * z - 0.5) * z + 1.0


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
    if isinstance(first_row, int):  # filled on the device: a copy from the host could not be recorded in a graph
        return torch.full_like(seeds, first_row)
    return first_row.to(seeds).expand(seeds.shape).contiguous()
