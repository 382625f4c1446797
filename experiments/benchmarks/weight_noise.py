"""What does it add to a read that weights fluctuate, in units of a digital layer?"""

from collections.abc import Iterator

import torch
from parts import inputs, linear, read, unknown
from timing import Benchmark, Contender

from hardware_models.memory_cells.pcm import PCM

WIDTH, BATCH, AGE_SECONDS = 2000, 2048, 1000.0


def benchmarks() -> Iterator[Benchmark]:
    """Yield noise that is the same for all weights, and noise that each weight has for itself."""
    x = inputs(BATCH, WIDTH)
    contenders = {
        "torch.nn.Linear": Contender(run=linear(WIDTH, x)),
        "unknown, without": Contender(run=read(unknown(WIDTH, WIDTH, weight_noise=0.0), x)),
        "unknown, with": Contender(run=read(unknown(WIDTH, WIDTH), x), over="unknown, without", target="+0"),
        "pcm, without": Contender(run=_aged(x, flicker_noise=0.0)),
        "pcm, with": Contender(run=_aged(x, flicker_noise=1.0), over="pcm, without", target="+0.6"),
    }
    name = f"weight noise, {WIDTH} x {WIDTH}, batch {BATCH}"
    yield Benchmark(name=name, contenders=contenders, base="torch.nn.Linear")


def _aged(x: torch.Tensor, *, flicker_noise: float):
    device = PCM(WIDTH, WIDTH, seed=0, flicker_noise=flicker_noise)
    device.wait(AGE_SECONDS)
    return read(device, x)
