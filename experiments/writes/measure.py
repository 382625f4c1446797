"""Write a known matrix onto arrays by gradient descent: error by spread of symmetry points, states and kind of write.

python experiments/writes/measure.py [FOLDER]
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import torch

from analogff.device import Observable, product
from analogff.learning.rule_options import RuleOptions
from analogff.network import LayerSpec, fabricate_wired
from analogff.writes.make import make_writes
from hardware_models.memory_cells.reram import ReRAM

N = 16
"""Lines on either side; weights are then -1 to 1."""
STATES = (16, 64, 256)
SPREADS = (0.0, 0.25, 0.5)
"""Of the symmetry points from cell to cell, in units of half the range."""
COPIES = 3
"""Arrays of each kind, each with a target of its own."""
STEPS, VECTORS = 1000, 8
TARGET = 0.5
"""Greatest weight of the target, which is uniform."""
CELLS = dict(preset="soft-bounds", device_spread=0.3, cycle_spread=0.3, bounds_spread=0.1, weight_max=4.0)
FAST = dict(transfer_rate=1.0, fast_rate=1.0)
WRITES = {
    "SGD": (dict(write="pulse-trains"), 0.01),
    "TTv2": (dict(write="tiki-taka-2", reference="none", **FAST), 0.1),
    "c-TTv2": (dict(write="tiki-taka-2", reference="none", chop_probability=0.05, **FAST), 0.1),
    "AGAD": (dict(write="agad", chop_period=10, **FAST), 0.1),
}
"""By the names of the paper: options and rate, the best of those that were tried."""


def measure() -> Iterator[pd.DataFrame]:
    """Yield a table for each write and kind of reading, one row an array."""
    for name, (told, rate) in WRITES.items():
        for reads in ("noisy", "perfect") if name != "SGD" else ("noisy",):
            shown = {} if name == "SGD" else {"transfer_reads": reads}
            yield pd.DataFrame(errors(name, reads, RuleOptions.model_validate(told | shown), rate))


def errors(name: str, reads: str, options: RuleOptions, rate: float) -> list[dict]:
    """Return a row for each array of a bank: all spreads, states and copies side by side."""
    points = list(itertools.product(STATES, SPREADS, range(COPIES)))
    states, spreads, copies = (torch.tensor(column) for column in zip(*points, strict=True))
    cells = CELLS | dict(step=2 / states, asymmetry_spread=spreads)
    seeds = [100 + copy for copy in copies.tolist()]
    chips = fabricate_wired([LayerSpec(ReRAM, cells)], [(N, N), (N, 1)], seeds=seeds, writes=options.write_hardware)
    write = make_writes(chips.seal(Observable.ACTIVITY), options, seed=0)[0]
    targets = torch.stack([drawn(copy) for copy in copies.tolist()])
    generator = torch.Generator().manual_seed(0)
    for step in range(STEPS):
        faded = rate * min(1.0, 2 * (1 - step / STEPS))
        x = torch.randn(VECTORS, N, generator=generator).expand(len(points), -1, -1)
        write.descend(product(x, chips.devices[0].weights - targets), x, faded)  # type: ignore[operator, union-attr]
    found = (chips.devices[0].weights - targets).square().mean((1, 2)).sqrt().tolist()  # type: ignore[operator, union-attr]
    names = ("states", "spread", "copy")
    return [
        {"write": name, "reads": reads} | dict(zip(names, point, strict=True)) | {"error": error}
        for point, error in zip(points, found, strict=True)
    ]


def drawn(copy: int) -> torch.Tensor:
    """Return the target of an array."""
    return TARGET * (2 * torch.rand(N, N, generator=torch.Generator().manual_seed(copy)) - 1)


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(*sys.argv[1:2]) if sys.argv[1:] else Path(__file__).parent
    found = []
    for table in measure():
        found.append(table)
        pd.concat(found).to_csv(folder / "record.csv", index=False, float_format="%.4g")
