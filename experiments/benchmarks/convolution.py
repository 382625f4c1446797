"""What does a read at every position of an image cost against PyTorch's convolution?"""

from collections.abc import Iterator

import torch
from parts import FLAWS
from timing import Benchmark, Contender

from analogff.device import convolution
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown

CHANNELS, OUT, SIDE, BATCH = 96, 384, 16, 128
GIVEN = {"kernel": 3, "padding": 1, "channels": CHANNELS, "height": SIDE}


def benchmarks() -> Iterator[Benchmark]:
    """Yield the second layer of a net for small pictures, of exact arrays and of ones with every flaw."""
    sizes = SIDE**2 * CHANNELS, SIDE**2 * OUT
    x = torch.rand(1, BATCH, sizes[0], generator=torch.Generator().manual_seed(0))
    image = x.view(BATCH, SIDE, SIDE, CHANNELS).permute(0, 3, 1, 2).contiguous()
    weights = torch.randn(OUT, CHANNELS, 3, 3) / (9 * CHANNELS) ** 0.5
    ideal = convolution(Ideal)(*sizes, seed=[0], **GIVEN)
    flawed = convolution(Unknown)(*sizes, seed=[0], **GIVEN, **FLAWS)
    contenders = {
        "conv2d": Contender(run=torch.no_grad()(lambda: torch.nn.functional.conv2d(image, weights, padding=1))),
        "ideal": Contender(run=torch.no_grad()(lambda: ideal(x)), target="<= 1.3"),
        "unknown, every flaw": Contender(run=torch.no_grad()(lambda: flawed(x))),
    }
    yield Benchmark(name=f"convolution, {CHANNELS}x3x3 to {OUT}, batch {BATCH}", contenders=contenders, base="conv2d")
