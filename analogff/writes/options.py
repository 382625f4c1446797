"""The names of writes, and what a rule's options say of them."""

from typing import Literal, Protocol

from analogff.device import Observable
from analogff.network.write_hardware import WriteHardware

WriteName = Literal["digital", "sign", "pulse-trains", "tiki-taka", "tiki-taka-2", "agad", "multi-tile", "verify"]
FAST = ("tiki-taka", "tiki-taka-2", "agad")
"""Writes with a fast array beside each layer."""
IN_ARRAY = ("pulse-trains", *FAST, "multi-tile")
"""Writes whose outer products form in an array."""


class WriteOptions(Protocol):
    """How steps land on arrays of cells; see `analogff.learning.rule_options.RuleOptions`."""

    @property
    def write(self) -> WriteName: ...  # noqa: D102
    @property
    def train_slots(self) -> int: ...  # noqa: D102
    @property
    def fast_rate(self) -> float: ...  # noqa: D102
    @property
    def transfer_every(self) -> float: ...  # noqa: D102
    @property
    def transfer_rate(self) -> float: ...  # noqa: D102
    @property
    def transfer_reads(self) -> Literal["noisy", "perfect"]: ...  # noqa: D102
    @property
    def reference(self) -> Literal["measured", "none"]: ...  # noqa: D102
    @property
    def chop_probability(self) -> float: ...  # noqa: D102
    @property
    def chop_period(self) -> int: ...  # noqa: D102
    @property
    def tiles(self) -> int: ...  # noqa: D102
    @property
    def tile_significance(self) -> float: ...  # noqa: D102
    @property
    def verify_rounds(self) -> int: ...  # noqa: D102
    @property
    def verify_tolerance(self) -> float: ...  # noqa: D102


def write_hardware(options: WriteOptions) -> WriteHardware:
    """Return what fabrication makes for the writes of each array."""
    level = Observable.ORACLE if options.transfer_reads == "perfect" else Observable.TWIN
    tiled = options.write == "multi-tile"
    arrays = options.tiles - 1 if tiled else int(options.write in FAST)
    significance = options.tile_significance if tiled else None
    return WriteHardware(arrays=arrays, significance=significance, reads_back=options.write == "verify", level=level)
