"""What does a read with every flaw cost against a digital layer?"""

from collections.abc import Iterator

from parts import inputs, linear, read, unknown
from timing import Benchmark, Contender


def benchmarks() -> Iterator[Benchmark]:
    """Yield a large layer, whose product hides what is around it, and a small one."""
    yield _reads(2000, 2000, 2048, target="<= 1.08")
    yield _reads(784, 500, 128, target="<= 1.12", rounds=40, repeat=10)


def _reads(n_in: int, n_out: int, batch: int, *, target: str, **timing: int) -> Benchmark:
    x = inputs(batch, n_in)
    contenders = {
        "torch.nn.Linear": Contender(run=linear(n_out, x)),
        "unknown, every flaw": Contender(run=read(unknown(n_in, n_out), x), target=target),
    }
    return Benchmark(
        name=f"read, {n_in} x {n_out}, batch {batch}", contenders=contenders, base="torch.nn.Linear", **timing
    )
