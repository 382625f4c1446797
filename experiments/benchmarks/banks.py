"""What is gained by teaching many chips at once?"""

from collections.abc import Callable, Iterator, Sequence

from parts import step
from timing import Benchmark, Contender

from analogff.rules.forward_forward import ForwardForward
from hardware_models.generic.unknown import Unknown

CHIPS = 64


def benchmarks() -> Iterator[Benchmark]:
    """Yield a net whose products count, and one so small that only the number of calls does."""
    yield _banks((784, 256, 256), 128, target="<= 0.6", rounds=7)
    yield _banks((64, 64, 32), 32, target="<= 0.2", rounds=15)


def _banks(sizes: Sequence[int], batch: int, *, target: str, rounds: int) -> Benchmark:
    one, *others = (_step(sizes, batch, 1) for _ in range(CHIPS))
    base = f"{CHIPS} steps of one chip"
    contenders = {
        base: Contender(run=lambda: [one() for _ in range(CHIPS)]),
        f"{CHIPS} steps, each of another chip": Contender(run=lambda: [run() for run in (one, *others)]),
        f"one step of {CHIPS} chips": Contender(run=_step(sizes, batch, CHIPS), target=target),
    }
    title = "-".join(map(str, sizes))
    return Benchmark(name=f"banks, {title}, batch {batch}", contenders=contenders, base=base, rounds=rounds)


def _step(sizes: Sequence[int], batch: int, chips: int) -> Callable[[], object]:
    return step(
        ForwardForward,
        [Unknown] * (len(sizes) - 1),
        sizes,
        batch,
        chips=chips,
        slope="probed",
        max_step="free",
        probe=0.6,
        activity="mean",
        saturation_gradient=False,
    )
