"""What does a Forward-Forward step cost against the fastest backprop of the same net and batch?"""

from collections.abc import Iterator
from typing import Any

from manual_backprop import manual_backprop
from parts import step
from timing import Benchmark, Contender

from analogff.device import Device
from analogff.rules.forward_forward import ForwardForward
from hardware_models.generic.ideal import Ideal

SIZES, BATCH = (784, 2000, 2000, 2000, 2000), 512


class Unshared(Ideal):
    """An ideal layer that computes a read for every variant of an image anew."""

    measure_marked = Device.measure_marked


def benchmarks() -> Iterator[Benchmark]:
    """Yield a step of four large layers, in which products are all that counts."""
    deeper = [Ideal] * (len(SIZES) - 2)
    options: dict[str, Any] = dict(slope="assumed", negatives="random")
    shared = step(ForwardForward, [Ideal, *deeper], SIZES, BATCH, **options)
    unshared = step(ForwardForward, [Unshared, *deeper], SIZES, BATCH, **options)
    contenders = {
        "backprop by hand": Contender(run=manual_backprop(SIZES, BATCH)),
        "forward-forward": Contender(run=shared, target="<= 1.30"),
        "forward-forward, layer 1 reads each variant": Contender(run=unshared, target="<= 1.41"),
    }
    yield Benchmark(name=f"step, 784-4x2000, batch {BATCH}", contenders=contenders, base="backprop by hand", rounds=11)
