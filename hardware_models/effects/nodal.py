r"""Exact wires: Kirchhoff's current law at every node of one crossbar. A slow oracle of `wires`."""

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import splu


def currents(conductance: NDArray, volts: NDArray, wire_ohm: float) -> NDArray:
    r"""Currents of the bit lines; conventions and units as in `wires`.

    With :math:`u_{ij}, v_{ij}` the voltages of word line and bit line at a cell:

    .. math::
        \sum_{k \text{ beside } j} (u_{ij} - u_{ik}) + R\, G_{ji} (u_{ij} - v_{ij}) &= 0 \\
        \sum_{m \text{ beside } i} (v_{ij} - v_{mj}) + R\, G_{ji} (v_{ij} - u_{ij}) &= 0 \\
        u_{i,-1} = V_i, \quad v_{n_\mathrm{in}, j} &= 0, \quad I_j = v_{n_\mathrm{in} - 1, j} / R

    A sparse factorization with two unknowns for each cell: a second for 128x128.

    Shapes:
        ``conductance``: ``(n_out, n_in)``; ``volts``: ``(batch, n_in)``; returns ``(batch, n_out)``.
    """
    if wire_ohm == 0:
        return volts @ conductance.T
    n_out, n_in = conductance.shape
    cells = sparse.diags_array(wire_ohm * conductance.T.ravel())  # cell (i, j) has index i n_out + j
    words = sparse.kron(sparse.eye_array(n_in), _line(n_out)) + cells
    bits = sparse.kron(_line(n_in).tocsr()[::-1, ::-1], sparse.eye_array(n_out)) + cells
    network = sparse.block_array([[words, -cells], [-cells, bits]], format="csc")
    driven = np.zeros((2, n_in, n_out, len(volts)))
    driven[0, :, 0] = volts.T
    solved = splu(network).solve(driven.reshape(-1, len(volts)))
    return solved.reshape(driven.shape)[1, -1].T / wire_ohm


def _line(cells: int) -> sparse.dia_array:
    """Return the conductances between a line's nodes, in units of a wire's; held at its first end, open at its last."""
    own, between = np.full(cells, 2.0), -np.ones(cells)
    own[-1] = 1
    return sparse.dia_array(([between, own, between], [-1, 0, 1]), shape=(cells, cells))
