"""The table of events in the lives of chips; `analogff.study.run.life` writes it."""

import pyarrow as pa

from analogff.study.measurements.measurement import Table

EVENTS = Table(
    name="events",
    columns={
        "chip": pa.int64(),
        "seed": pa.int64(),
        "event": pa.int64(),
        "do": pa.string(),
        "chip_now": pa.int64(),
        "age_seconds": pa.float64(),
        "images": pa.int64(),
        "reads": pa.int64(),
        "pulses": pa.int64(),
        "device_seconds": pa.float64(),
        "device_joules": pa.float64(),
        "system_joules": pa.float64(),
        "validation_error": pa.float64(),
        "test_error": pa.float64(),
    },
    key=("event",),
)
"""One row for each event, from 1 on; `chip_now` is the seed of the chip that holds the knowledge then."""
