"""The datasheet of a layer of connected arrays."""

import dataclasses

import torch

from analogff.device.connections.connection import Connection
from analogff.device.datasheet import Datasheet, PerChip


def sheet_of_layer(connection: Connection, array: Datasheet) -> Datasheet:
    """Return the datasheet of arrays that are read and written side by side: energies add up, times do not.

    Args:
        connection: How they are connected.
        array: What is printed about each, with a number for each array of each chip where chips differ.
    """
    arrays, reads = connection.arrays, connection.reads
    own = {
        name: value[::arrays]
        for name, value in vars(array).items()
        if isinstance(value, torch.Tensor) and value.dim() > 0 and name != "line_loads"
    }
    read: PerChip = own.get("read_joules", array.read_joules)
    signal: PerChip = own.get("signal_joules", array.signal_joules)
    loads = connection.loads(array.line_loads)
    there = int((connection.lines < connection.n_in).sum())
    if connection.windows is not None:
        there = connection.lines.numel()  # zeros around an image are put on as any other number
    return dataclasses.replace(
        array,
        **own
        | dict(
            n_in=connection.n_in,
            n_out=connection.n_out,
            dacs=-(-there // reads) if array.dacs is None else arrays * array.dacs,
            adcs=-(-connection.n_out // reads) if array.adcs is None else arrays * array.adcs,
            read_joules=arrays * read,
            signal_joules=float(loads.sum()) / (connection.array_in * reads) * signal,
            line_loads=None if bool((loads == loads[0]).all()) else loads / loads.mean(),
            parallel_pulses=arrays * array.parallel_pulses,
            reads_per_vector=reads * array.reads_per_vector,
            windows=connection.windows,
        ),
    )
