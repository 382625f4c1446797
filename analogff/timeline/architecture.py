"""What stands around the arrays of a chip: tiles, converters, buffers, digital periphery and write circuits."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Architecture(BaseModel):
    """How the layers of a chip are built. A field that is None takes what the datasheet or `[system]` says.

    Reference:
        Khaddam-Aljameh et al., HERMES core (VLSI 2021): tiles of 256 by 256 cells. Shafiee et al., ISAAC (ISCA 2016):
        sample-and-hold circuits between arrays and converters, buffers between layers. DNN+NeuroSim (its file
        Param.cpp): 8 columns share a converter, which is ``adcs_per_tile = 32``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    tile_rows: Count = 256
    """Input lines of a tile. Partial sums of a layer with more of them are added digitally."""
    tile_columns: Count = 256
    """Output lines of a tile."""
    adcs_per_tile: Count | None = None
    """Converters of a tile, which its columns share; by default as many as the datasheet says."""
    sample_and_hold: bool = True
    """Whether an array settles for the next read while its outputs are converted."""
    buffer_vectors: Count = 2
    """Vectors that fit in the buffer in front of each layer; a full one blocks the layer before. 2 is double buffering;
    no source, assumed."""
    write_circuits: Count | None = None
    """Rows of tiles of a layer that are written side by side; by default all."""
    pulses_per_cell: Positive | None = None
    """Pulses that a cell gets in an update, on average; by default those that a study has counted, and 1 where nothing
    was (no source, assumed)."""
    transposed_reads: bool = False
    """Whether errors of backprop go back through the arrays, driven from their outputs, in place of digital products
    with a register of the weights."""
    digital_macs_per_second: Positive | None = None
    """Throughput of the digital logic of a layer; by default `macs_per_second` of `[system]`."""
    memory_bytes_per_second: Positive | None = None
    """Bandwidth of the memory of a layer; by default `bytes_per_second` of `[system]`."""
    shared_digital: bool = False
    """Whether all layers share one digital unit with its memory, or each has its own."""
