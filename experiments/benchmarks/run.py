"""Measure everything that is claimed about speed: ``python experiments/benchmarks/run.py [names...]``."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import banks
import convolution
import growth
import integer
import noise
import peers
import public_forward_forward
import read
import report
import start
import step
import step_small
import threads
import torch
import tyro
import weight_noise
from machine import describe
from timing import Benchmark, measure

TOPICS: dict[str, Callable[[], Iterator[Benchmark]]] = {
    "read": read.benchmarks,
    "integer": integer.benchmarks,
    "noise": noise.benchmarks,
    "weight-noise": weight_noise.benchmarks,
    "convolution": convolution.benchmarks,
    "peers": peers.benchmarks,
    "step": step.benchmarks,
    "step-small": step_small.benchmarks,
    "public": public_forward_forward.benchmarks,
    "banks": banks.benchmarks,
    "growth": growth.benchmarks,
    "start": start.benchmarks,
    "threads": threads.benchmarks,
}


def main(names: tyro.conf.Positional[tuple[str, ...]] = (), rounds: int | None = None, out: Path | None = None) -> None:
    """Time every contender, print the table and write record.csv and TABLE.md.

    Args:
        names: Benchmarks to run, all if none is given; a selection is printed and only written if --out says where.
        rounds: Timings of each contender, as many as the benchmark says if not given.
        out: Folder to write to; that of this file if all benchmarks are run.
    """
    wrong = [name for name in names if name not in TOPICS]
    if wrong:
        sys.exit(f"Expected names of benchmarks. Got {', '.join(wrong)}. Take some of {', '.join(TOPICS)}.")
    torch.set_num_threads(1)
    machine, rows = describe(), []
    print(*(f"{name}: {value}" for name, value in machine.items()), sep="\n")
    for name in names or TOPICS:
        for benchmark in TOPICS[name]():
            for row in measure(benchmark, rounds):
                rows.append(row)
                print(report.line(row), flush=True)
    folder = out or (None if names else Path(__file__).parent)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        report.write_csv(folder / "record.csv", rows)
        report.write_markdown(folder / "TABLE.md", rows, machine)


if __name__ == "__main__":
    tyro.cli(main)
