"""How fast is noise that is a function of its position?"""

from collections.abc import Iterator

import torch
from timing import Benchmark, Contender

from hardware_models import kernels
from hardware_models.kernels.streams import Stream

ROWS, COLUMNS = 2048, 512


def benchmarks() -> Iterator[Benchmark]:
    """Yield a million samples."""
    seeds, place = torch.tensor([0]), torch.empty(ROWS, COLUMNS)
    contenders = {
        "kernels.normal": Contender(run=lambda: kernels.normal(seeds, 0, ROWS, COLUMNS, Stream.READ)),
        "torch.randn": Contender(run=lambda: torch.randn(ROWS, COLUMNS), target=">= 4.5"),
        "Tensor.normal_": Contender(run=place.normal_, target=">= 4.5"),
    }
    name = f"noise, {ROWS} rows of {COLUMNS}"
    yield Benchmark(name=name, contenders=contenders, base="kernels.normal", rounds=40)
