"""How does the time grow with the chips of a bank, and with the width of a layer?"""

from collections.abc import Iterator

import torch
from parts import inputs, read, step, unknown
from timing import Benchmark, Contender

from analogff.rules.forward_forward import ForwardForward
from hardware_models.generic.ideal import Ideal

SIZES, STEP_BATCH, READ_BATCH = (784, 64, 64), 32, 256
LARGE = 512
"""Width beyond which the product should be all that counts."""


def benchmarks() -> Iterator[Benchmark]:
    """Yield a step by chips, seconds a chip, then a read by width."""
    yield _chips()
    for width in (64, 128, 256, 512, 1024, 2048, 4096):
        yield _width(width)


def _chips() -> Benchmark:
    contenders = {}
    for chips in (1, 4, 16, 64, 256):
        run = step(ForwardForward, [Ideal, Ideal], SIZES, STEP_BATCH, chips=chips, slope="assumed", negatives="random")
        contenders[f"seconds a chip, {chips} at once"] = Contender(run=run, work=chips)
    base = next(iter(contenders))
    return Benchmark(name=f"growth, step, 784-64-64, batch {STEP_BATCH}", contenders=contenders, base=base, rounds=21)


def _width(width: int) -> Benchmark:
    x, w, y = inputs(READ_BATCH, width), torch.randn(width, width), torch.empty(READ_BATCH, width)
    contenders = {
        "product": Contender(run=lambda: torch.mm(x, w.T, out=y)),
        "unknown, every flaw": Contender(run=read(unknown(width, width), x), target="<= 1.10" if width > LARGE else ""),
    }
    repeat = max(1, (LARGE // width) ** 2)
    name = f"growth, read, {width} x {width}, batch {READ_BATCH}"
    return Benchmark(name=name, contenders=contenders, base="product", repeat=repeat)
