r"""Converters whose steps are not all of one size, as tables of their thresholds or levels in units of a step (LSB).

A table holds one converter in its last axis. One ADC of :math:`b` bits has the :math:`2^b - 1` inputs at which its code
changes, ideally at :math:`k - 1/2`; a DAC has its :math:`2^b` levels, ideally at :math:`k`.
"""

import enum

import torch


class AdcKind(enum.StrEnum):
    """Architecture of a converter, which decides the pattern of its errors."""

    SAR = "sar"
    """Successive approximation with a binary-weighted capacitor array: jumps where large capacitors switch."""
    RAMP = "ramp"
    """A ramp and a counter: the ramp is curved."""
    FLASH = "flash"
    """A comparator for each threshold, each with its own offset."""


def codes(x: torch.Tensor, thresholds: torch.Tensor) -> torch.Tensor:
    r"""Convert by successive approximation, from the highest bit to the lowest.

    .. math:: k \leftarrow k + 2^i \;\text{if}\; x \ge T_{k + 2^i}, \quad i = b - 1, \dots, 0

    With ascending thresholds this counts those that are reached. Where a jump breaks the order it misses codes, as the
    circuit does. NaN stays NaN.

    Shapes:
        ``x``: LSB, ``(chips, batch, lines)``; ``thresholds``: ``(chips, lines, 2^b - 1)``, or more
        that are infinite.
    """
    found = torch.zeros(x.shape, dtype=torch.int64, device=x.device)
    for bit in reversed(range(thresholds.shape[-1].bit_length())):
        tried = found + 2**bit
        found = torch.where(x >= looked_up(thresholds, tried - 1), tried, found)
    return torch.where(x.isnan(), x, found.to(x.dtype))


def looked_up(table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Return the indexed entry of each line's table.

    Shapes:
        ``table``: ``(chips, lines, entries)``, ``index``: ``(chips, batch, lines)``, as is what is returned.
    """
    chips, lines, entries = table.shape
    place = torch.arange(lines, device=index.device) * entries + index
    return table.reshape(chips, -1).gather(1, place.flatten(1)).view(index.shape)


def adc_thresholds(kind: AdcKind, bits: int, inl_lsb: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    r"""Draw the thresholds of ADCs with a given integral nonlinearity.

    .. math:: T_k = k - \tfrac12 + s\, I_k, \quad \mathrm{E}\,\overline{I_k^2} = 1, \quad k = 1, \dots, 2^b - 1

    with a shape :math:`I` linear in the normals and zero at both ends, which excludes gain and offset:

    * SAR: level :math:`k` is :math:`\sum_i \beta_i(k)\, (2^i + 2^{i/2} \xi_i)`, bits :math:`\beta_i` of :math:`k`
      switching capacitors of :math:`2^i` equal units each.
    * Ramp: a parabola, :math:`\xi\, t (1 - t)`, from one end to the other.
    * Flash: one :math:`\xi_k` for each threshold; sorted, since the code is the count of comparators that fired.

    Args:
        kind: Architecture of the converter.
        bits: ``b``, at least 2.
        inl_lsb: ``s``, root of the mean square over codes and converters; ``(..., 1)``. (Sorting reduces that of a
        flash converter slightly above about half an LSB.)
        normals: As many as `adc_normals` says, ``(..., n)``.

    Reference:
        Errors of the three architectures as in textbooks, such as Maloberti, Data Converters (Springer 2007).
    """
    steps = 2**bits - 1
    ideal = torch.arange(1, steps + 1, device=normals.device) - 0.5
    if kind is AdcKind.FLASH:
        position = torch.linspace(0, 1, steps)
        size = (1 + position**2 + (1 - position) ** 2)[1:-1].sum() / steps  # variance without the line
        return (ideal + inl_lsb * between_ends(normals) / size.sqrt()).sort(-1).values
    return ideal + inl_lsb * _spanned(_shapes(kind, bits), normals)


def adc_normals(kind: AdcKind, bits: int) -> int:
    """Return the number of normals behind an ADC's thresholds."""
    return {AdcKind.SAR: bits, AdcKind.RAMP: 1, AdcKind.FLASH: 2**bits - 1}[kind]


def dac_levels(bits: int, inl_lsb: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    r"""Draw the levels of DACs of binary-weighted elements, like those of a SAR converter in `adc_thresholds`.

    .. math:: L_k = k + s\, I_k, \quad k = 0, \dots, 2^b - 1

    Args:
        bits: ``b``, at least 2.
        inl_lsb: ``s``; ``(..., 1)``.
        normals: One for each bit, ``(..., b)``.
    """
    ideal = torch.arange(2.0**bits, device=normals.device)
    return ideal + inl_lsb * _spanned(_binary(torch.arange(2**bits), bits), normals)


def integral_nonlinearity(table: torch.Tensor) -> torch.Tensor:
    r"""Deviation of each threshold, or level, from the line through the first and the last.

    .. math:: \mathrm{INL}_k = (K - 1) \frac{T_k - T_1}{T_K - T_1} - (k - 1)

    Units:
        LSB, of the converter's own mean step.

    Reference:
        IEEE Std 1241-2010 (ADCs; DACs likewise in IEEE Std 1658-2011), terminal-based gain and offset.
    """
    return _in_own_steps(table) - torch.arange(table.shape[-1], device=table.device)


def differential_nonlinearity(table: torch.Tensor) -> torch.Tensor:
    r"""Deviation of each step from the mean one.

    .. math:: \mathrm{DNL}_k = (K - 1) \frac{T_{k+1} - T_k}{T_K - T_1} - 1

    Units:
        LSB, of the converter's own mean step; -1 is a missing code.

    Reference:
        IEEE Std 1241-2010, terminal-based.
    """
    return _in_own_steps(table).diff(dim=-1) - 1


def between_ends(errors: torch.Tensor) -> torch.Tensor:
    """Subtract the line through the first and the last error, which is gain and offset."""
    position = torch.linspace(0, 1, errors.shape[-1], device=errors.device)
    first, last = errors[..., :1], errors[..., -1:]
    return errors - first - (last - first) * position


def _in_own_steps(table: torch.Tensor) -> torch.Tensor:
    first, last = table[..., :1], table[..., -1:]
    return (table - first) / (last - first) * (table.shape[-1] - 1)


def _shapes(kind: AdcKind, bits: int) -> torch.Tensor:
    """Return the error of each normal, ``(normals, thresholds)``, up to a common factor."""
    if kind is AdcKind.SAR:
        return _binary(torch.arange(1, 2**bits), bits)
    position = torch.linspace(0, 1, 2**bits - 1)
    return (position * (1 - position)).unsqueeze(0)


def _binary(code: torch.Tensor, bits: int) -> torch.Tensor:
    """Return the contribution of each bit's mismatch to a level; elements consist of equal units."""
    bit = torch.arange(bits)[:, None]
    return 2.0 ** (bit / 2) * (code >> bit & 1)


def _spanned(shapes: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    """Return the sum of shapes without their lines, weighted by normals, scaled to a mean square of 1."""
    shapes = between_ends(shapes)
    size = shapes.square().sum(0).mean().sqrt()
    return normals @ (shapes / size).to(normals)
