"""How long before anything happens?"""

import signal
from collections.abc import Iterator

from command import analogff, run_study
from timing import Benchmark, Contender


def benchmarks() -> Iterator[Benchmark]:
    """Yield the help, a study until its first read, where it ends itself, and the whole of the same study."""
    contenders = {
        "analogff --help": Contender(run=lambda: analogff("--help"), target="< 0.3 s"),
        "analogff run, until the first read": Contender(
            run=lambda: run_study("start_first_read.toml", workers=0, status=-signal.SIGKILL), target="< 4 s"
        ),
        "analogff run, all of a study of one step": Contender(run=lambda: run_study("start.toml", workers=0)),
    }
    yield Benchmark(name="start", contenders=contenders, rounds=7)
