r"""Wires: IR drop along the lines of a crossbar, to first order in the wire resistance of a cell.

Convention, here and in `nodal`: word line :math:`i` (an input) is driven at its end at column 0. Bit line :math:`j`
(an output) is sensed at virtual ground at its end at the last row. The other ends are open. Between neighboring
cells, and between the last cell and the driver or the ground, each line has one wire resistance :math:`R`.
"""

import torch

from analogff.device import PerChip, product

MOST_DROP = 1.0
"""Greatest `farthest_drop` that devices accept; the error of sums is then about 2 % of their spread."""


def currents(conductance: torch.Tensor, volts: torch.Tensor, wire_ohm: torch.Tensor) -> torch.Tensor:
    r"""Currents of the bit lines.

    .. math:: I_{bj} = \sum_i G'_{ji} V_{bi}

    Shapes:
        ``conductance``: siemens, ``(chips, n_out, n_in)``; ``volts``: ``(chips, batch, n_in)``; returns amperes,
        ``(chips, batch, n_out)``.

    Args:
        conductance: ``G``.
        volts: Voltages at the driven ends.
        wire_ohm: ``R``, for the length of a cell.
    """
    return product(volts, effective(conductance, wire_ohm))


def effective(conductance: torch.Tensor, wire_ohm: torch.Tensor) -> torch.Tensor:
    r"""Effective conductances: those of an array with ideal wires and about the same currents.

    .. math:: G'_{ji} = \frac{G_{ji}}{1 + x_{ji}}

    with :math:`x` of `relative_drop`. Resistors are linear, so the wires are part of the conductances for all inputs.
    The quotient equals the first order ``G (1 - x)`` up to ``x^2``. It is never negative, and its error is an order of
    magnitude smaller.

    Accuracy against the exact solution (`nodal`), for 32x32 cells drawn uniformly from 0 to 40 uS, is the greatest
    error over the greatest current. It is 3e-3 at a greatest ``x`` of 0.25 (12 % of the current lost). It is 2e-2
    at 0.9 (33 % lost). The error of signed sums of 196x64 weights is 1 % of their spread at ``x = 0.5``, 3 % at
    1.7. Devices refuse layers whose `farthest_drop` exceeds `MOST_DROP`.

    Shapes:
        ``(chips, n_out, n_in)``; ``wire_ohm`` broadcasts.
    """
    return relative_drop(conductance, wire_ohm).add_(1).reciprocal_().mul_(conductance)


def relative_drop(conductance: torch.Tensor, wire_ohm: torch.Tensor) -> torch.Tensor:
    r"""Share of a cell's current lost in the wires, to first order.

    .. math:: x_{ji} = R \left[\sum_k (\min(j, k) + 1)\, G_{ki} + \sum_m (n_\mathrm{in} - \max(i, m))\, G_{jm}\right]

    The factors are the common lengths of wire of two cells: on the word line from the driver, on the bit line to the
    ground. Two running sums compute each, so the cost is a pass over the cells.

    Shapes:
        ``(chips, n_out, n_in)``; ``wire_ohm`` broadcasts.
    """
    word = conductance.flip(1).cumsum_(1).flip(1).cumsum_(1)
    bit = conductance.cumsum(2).flip(2).cumsum_(2).flip(2)
    return word.add_(bit).mul_(wire_ohm)


def farthest_drop(n_in: int, n_out: int, wire_ohm: PerChip, siemens: PerChip) -> PerChip:
    r"""The greatest `relative_drop` of an array of typical cells.

    .. math:: x = \frac{R G}{4} \left[2 n_\mathrm{out} (2 n_\mathrm{out} + 1) + n_\mathrm{in} (n_\mathrm{in} + 1)\right]

    A weight has two cells, one of them empty, so a cell has half of the conductance of a weight. For random weights the
    greatest ``x`` is about 25 % larger.

    Args:
        n_in: Word lines.
        n_out: Pairs of bit lines.
        wire_ohm: ``R``, for the length of a cell.
        siemens: ``G``, mean conductance of a weight.
    """
    lines = 2 * n_out
    return wire_ohm * siemens / 4 * (lines * (lines + 1) + n_in * (n_in + 1))


def wired(weights: torch.Tensor, wire_ohm: torch.Tensor, siemens: torch.Tensor) -> torch.Tensor:
    """Effective signed weights with wires; each is a pair of neighboring bit lines with one empty cell.

    A read uses ``product(q, wired(weights, wire_ohm, siemens))`` instead of ``product(q, weights)``. For 784x256
    weights it costs about seven products of 128 inputs. It does not depend on inputs, so a device may keep it until its
    cells change.

    Shapes:
        ``(chips, n_out, n_in)``; the others broadcast.

    Args:
        weights: Without the wires.
        wire_ohm: ``R``, for the length of a cell; 0 returns the weights exactly.
        siemens: Conductance of a cell that carries a weight of 1.
    """
    cells = torch.stack([weights.clamp(min=0), (-weights).clamp_(min=0)], 2)
    plus, minus = effective(cells.flatten(1, 2), wire_ohm * siemens).view_as(cells).unbind(2)
    return plus - minus
