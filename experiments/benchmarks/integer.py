"""What is gained by counting in whole numbers where cells and converters have few states?"""

from collections.abc import Iterator

from parts import inputs, linear, read, unknown
from timing import Benchmark, Contender

WIDTH, BATCH = 2000, 2048


def benchmarks() -> Iterator[Benchmark]:
    """Yield cells of one byte, and of two."""
    x = inputs(BATCH, WIDTH)
    contenders = {"torch.nn.Linear": Contender(run=linear(WIDTH, x))}
    for bits in (8, 15):
        device = unknown(WIDTH, WIDTH, weight_bits=bits)
        contenders[f"unknown, every flaw, {bits}-bit weights"] = Contender(run=read(device, x), target="<= 0.55")
    name = f"integer read, {WIDTH} x {WIDTH}, batch {BATCH}"
    yield Benchmark(name=name, contenders=contenders, base="torch.nn.Linear")
