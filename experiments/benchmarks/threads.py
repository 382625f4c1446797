"""How much sooner does a study end with two workers? Two idle cores are needed to see it."""

from collections.abc import Iterator

from command import run_study
from timing import Benchmark, Contender


def benchmarks() -> Iterator[Benchmark]:
    """Yield a study of a minute and a half, from the command line's start to its end."""
    contenders = {
        "two workers": Contender(run=lambda: run_study("threads.toml", workers=2)),
        "one worker": Contender(run=lambda: run_study("threads.toml", workers=1), target=">= 1.8"),
    }
    yield Benchmark(name="threads, a study of 1.5 minutes", contenders=contenders, base="two workers", rounds=2, warm=0)
