"""What does a Forward-Forward step cost against a backprop step of the same net and batch?

    python experiments/benchmarks/ff_step.py

One process, one thread, the steps interleaved, CPU seconds; medians with the range over rounds.
"""

import platform
import time
from pathlib import Path
from statistics import median

import torch

from analogff.catalog import resolve_device
from analogff.network import LayerSpec, fabricate_chips
from analogff.rules.backprop import Backprop
from analogff.rules.forward_forward import ForwardForward

LAYERS, BATCH, ROUNDS, STEPS = (500, 500), 100, 15, 10


def sealed_step(rule, **options):
    """Return a function that takes one step of a rule on an ideal chip."""
    ideal = LayerSpec(resolve_device("ideal", Path()))
    chips = fabricate_chips([ideal] * len(LAYERS), [784, *LAYERS], 10, seeds=[0])
    chosen = rule.Options(batch=BATCH, **options)
    return rule(chips.seal(rule.needs(chosen)), chosen, seed=0).step


def autograd_step():
    """Return a backprop step of the same net as anyone would write it in torch."""
    sizes = [784, *LAYERS]
    hidden = [part for n, m in zip(sizes, sizes[1:], strict=False) for part in (torch.nn.Linear(n, m), torch.nn.ReLU())]
    model = torch.nn.Sequential(*hidden, torch.nn.Linear(sizes[-1], 10))
    optimiser = torch.optim.Adam(model.parameters(), fused=True)

    def step(images, labels):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimiser.step()

    return step


def main():
    """Time all steps, interleaved, and print the table."""
    torch.set_num_threads(1)
    steps = {
        "backprop, torch autograd": autograd_step(),
        "backprop through a twin, sealed ideal chip": sealed_step(Backprop),
        "forward-forward, random negatives": sealed_step(ForwardForward, slope="assumed", negatives="random"),
        "forward-forward, hard negatives": sealed_step(ForwardForward, slope="assumed", negatives="hard"),
        "forward-forward, hard negatives, probed": sealed_step(ForwardForward, slope="probed", negatives="hard"),
    }
    images, labels = torch.rand(BATCH, 784), torch.randint(0, 10, (BATCH,))
    seconds = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = time.process_time()
            for _ in range(STEPS):
                step(images, labels)
            seconds[name].append((time.process_time() - start) / STEPS)
    base = median(seconds["backprop, torch autograd"])
    print(f"784-{'-'.join(map(str, LAYERS))}, batch {BATCH}, one thread, {platform.machine()},")
    print(
        f"torch {torch.__version__}, python {platform.python_version()}; median [range] of {ROUNDS} rounds of {STEPS}"
    )
    for name, values in seconds.items():
        ms = [1e3 * v for v in (median(values), min(values), max(values))]
        print(f"{name:45} {ms[0]:6.2f} ms [{ms[1]:.2f}, {ms[2]:.2f}]  {median(values) / base:5.2f} x")


if __name__ == "__main__":
    main()
