"""The table of diagnostics along training; `analogff.study.run.diagnosis` writes it."""

import pyarrow as pa

from analogff.study.measurements.measurement import Table

DIAGNOSTICS = Table(
    name="diagnostics",
    columns={
        "step": pa.int64(),
        "images": pa.int64(),
        "layer": pa.int64(),
        "cosine": pa.float64(),
        "norm_ratio": pa.float64(),
        "snr": pa.float64(),
    },
    key=("step", "layer"),
)
"""One row for each look and layer that is written, the head last; `step` and `images` are those before the look."""
