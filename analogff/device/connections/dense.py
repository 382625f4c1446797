"""Every output from every line: one array a chip."""

import torch
from typing_extensions import override

from analogff.device.connections.connection import Connection


class Dense(Connection):
    r"""One array with all lines, ``y = f(W x)``: what a device without a connection is.

    Args:
        n_in: Input lines.
        n_out: Outputs.
    """

    def __init__(self, n_in: int, n_out: int):
        super().__init__(n_in, n_out, torch.arange(n_in).view(1, 1, n_in), common=n_in)

    @override
    def seeds(self, seed):
        return [seed]
