r"""Wires: voltage lost along the lines of a crossbar, to first order in the resistance of a cell's length of wire.

Convention, here and in `nodal`. Word line :math:`i` (an input) is driven at its end beside column 0, bit line :math:`j`
(an output) is sensed at virtual ground at its end beside the last row; the other ends are open. Between neighboring
cells, and between the last cell and the driver or the ground, each line has one wire resistance :math:`R`.
"""

import torch

from analogff.device import PerChip, product

MOST_DROP = 1.0
"""Greatest `farthest_drop` that devices take: sums are then off by some 2 % of their spread."""


def currents(conductance: torch.Tensor, volts: torch.Tensor, wire_ohm: torch.Tensor) -> torch.Tensor:
    r"""Currents out of the bit lines.

    .. math:: I_{bj} = \sum_i G'_{ji} V_{bi}

    Shapes:
        ``conductance``: siemens, ``(chips, n_out, n_in)``; ``volts``: ``(chips, batch, n_in)``; returns amperes,
        ``(chips, batch, n_out)``.

    Args:
        conductance: ``G``.
        volts: At the driven ends.
        wire_ohm: ``R``, for the length of a cell.
    """
    return product(volts, effective(conductance, wire_ohm))


def effective(conductance: torch.Tensor, wire_ohm: torch.Tensor) -> torch.Tensor:
    r"""Conductances that an array of ideal wires would need, to pass about the same currents.

    .. math:: G'_{ji} = \frac{G_{ji}}{1 + x_{ji}}

    with :math:`x` of `relative_drop`. Resistors are linear, so the wires are part of the conductances, whatever the
    inputs. The quotient equals the plain first order, ``G (1 - x)``, up to ``x^2``, is never negative, and errs an
    order of magnitude less.

    Against the exact solution (`nodal`), 32x32 cells drawn evenly from 0 to 40 uS: the currents' greatest error, over
    the greatest current, is 3e-3 where the greatest ``x`` is 0.25 (12 % of the current lost), and 2e-2 where it is
    0.9 (33 % lost). Signed sums of 196x64 weights are off by 1 % of their spread at ``x = 0.5``, 3 % at 1.7. Devices
    refuse layers whose `farthest_drop` exceeds `MOST_DROP`.

    Shapes:
        ``(chips, n_out, n_in)``; ``wire_ohm`` broadcasts.
    """
    return relative_drop(conductance, wire_ohm).add_(1).reciprocal_().mul_(conductance)


def relative_drop(conductance: torch.Tensor, wire_ohm: torch.Tensor) -> torch.Tensor:
    r"""Share of a cell's current that the wires cost, to first order.

    .. math:: x_{ji} = R \left[\sum_k (\min(j, k) + 1)\, G_{ki} + \sum_m (n_\mathrm{in} - \max(i, m))\, G_{jm}\right]

    The factors are the lengths of wire that two cells share: on the word line from the driver, on the bit line to the
    ground. By two running sums each, so it costs a pass over the cells and no product.

    Shapes:
        ``(chips, n_out, n_in)``; ``wire_ohm`` broadcasts.
    """
    word = conductance.flip(1).cumsum_(1).flip(1).cumsum_(1)
    bit = conductance.cumsum(2).flip(2).cumsum_(2).flip(2)
    return word.add_(bit).mul_(wire_ohm)


def farthest_drop(n_in: int, n_out: int, wire_ohm: PerChip, siemens: PerChip) -> PerChip:
    r"""The greatest `relative_drop` of an array whose cells are all typical ones.

    .. math:: x = \frac{R G}{4} \left[2 n_\mathrm{out} (2 n_\mathrm{out} + 1) + n_\mathrm{in} (n_\mathrm{in} + 1)\right]

    A weight is two cells of which one is empty, so that a cell has half of the conductance behind a weight. Of drawn
    weights the greatest ``x`` is some 25 % above.

    Args:
        n_in: Word lines.
        n_out: Pairs of bit lines.
        wire_ohm: ``R``, for the length of a cell.
        siemens: ``G``, mean conductance behind a weight.
    """
    lines = 2 * n_out
    return wire_ohm * siemens / 4 * (lines * (lines + 1) + n_in * (n_in + 1))


def wired(weights: torch.Tensor, wire_ohm: torch.Tensor, siemens: torch.Tensor) -> torch.Tensor:
    """Signed weights as they act through wires, each a pair of neighboring bit lines of which one cell is empty.

    For a signal's way: ``product(q, wired(weights, wire_ohm, siemens))`` in place of ``product(q, weights)``. For
    784x256 weights it costs about as much as seven products of 128 inputs, and depends on no input: a device may keep
    it until its cells change.

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
