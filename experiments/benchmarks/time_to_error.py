"""How much processor time does Forward-Forward take to an error on full MNIST?

python experiments/benchmarks/time_to_error.py [--out FILE]

One thread, one ideal chip a learning seed, 784-500-500, all 60,000 images. The clock counts the processor time of
learning steps alone; the whole test set is looked at, off the clock, after every hundred steps. A step of plain
backprop in the same net is timed in the same process, in between.
"""

import csv
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import tyro
from manual_backprop import manual_backprop
from step_small import autograd_backprop

from analogff.data import load_dataset
from analogff.forward_forward.options import ForwardForwardOptions
from analogff.network import LayerSpec, fabricate_chips
from analogff.rules.forward_forward import ForwardForward
from analogff.training.loop import error_percent
from hardware_models.generic.ideal import Ideal

SIZES, BATCH, EVERY = (784, 500, 500), 100, 100
TARGETS = (5.0, 4.0, 3.0, 2.5)
RECORD = Path(__file__).with_suffix(".csv")


def learn(seed: int, out: csv.DictWriter) -> None:
    """Learn until every target is met, in two epochs of which the rate falls in the second."""
    data = load_dataset("mnist", validation_images=0)
    given: dict[str, Any] = {"slope": "assumed", "scale": 12.0, "learning_rate": 0.003, "label_strength": 1.0}
    options = ForwardForwardOptions(batch=BATCH, **given)
    chips = fabricate_chips([LayerSpec(Ideal)] * 2, SIZES, 10, seeds=[seed])
    rule = ForwardForward(chips.seal(ForwardForward.needs(options)), options, seed=seed)
    backprops = {"autograd": autograd_backprop(SIZES, BATCH), "by hand": manual_backprop(SIZES, BATCH)}
    generator = torch.Generator().manual_seed(seed)
    total = 2 * (len(data.train.labels) // BATCH)
    order = torch.cat([torch.randperm(len(data.train.labels), generator=generator) for _ in range(2)]).split(BATCH)
    spent, left = 0.0, list(TARGETS)
    for n, batch in enumerate(order):
        start = time.process_time()
        rule.advance(n / total)
        rule.step(data.train.images[batch], data.train.labels[batch])
        spent += time.process_time() - start
        if (n + 1) % EVERY:
            continue
        error = float(error_percent(rule, data.test)[0])
        while left and error <= left[0]:
            steps = {name: _milliseconds(step) for name, step in backprops.items()}
            ratios = {f"step over backprop {name}": 1000 * spent / (n + 1) / steps[name] for name in steps}
            out.writerow(
                {"seed": seed, "target": left.pop(0), "error": error, "steps": n + 1, "seconds": spent} | ratios
            )


def _milliseconds(step: Callable[[], object]) -> float:
    times = []
    for _ in range(30):
        start = time.process_time()
        step()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def main(out: Path = RECORD, seeds: int = 5) -> None:
    """Measure, and write what was found.

    Args:
        out: Where the record goes.
        seeds: Number of learning seeds, each on a chip of its own.
    """
    torch.set_num_threads(1)
    names = ("seed", "target", "error", "steps", "seconds", "step over backprop autograd", "step over backprop by hand")
    with out.open("w", newline="") as file:
        rows = csv.DictWriter(file, names)
        rows.writeheader()
        for seed in range(seeds):
            learn(seed, rows)
            file.flush()


if __name__ == "__main__":
    tyro.cli(main)
