"""What do the steps of a small net cost against backprop as anyone would write it?"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from parts import CLASSES, images, step
from timing import Benchmark, Contender

from analogff.rules.backprop import Backprop
from analogff.rules.forward_forward import ForwardForward
from hardware_models.generic.ideal import Ideal

SIZES, BATCH = (784, 500, 500), 100


def benchmarks() -> Iterator[Benchmark]:
    """Yield the steps of every rule with the gradient of a layer in it."""
    layers = [Ideal] * (len(SIZES) - 1)
    contenders = {
        "backprop, torch autograd": autograd_backprop(SIZES, BATCH),
        "backprop through a twin, sealed ideal chip": step(Backprop, layers, SIZES, BATCH),
        "forward-forward, random negatives": _forward(slope="assumed", negatives="random"),
        "forward-forward, hard negatives": _forward(slope="assumed", negatives="hard"),
        "forward-forward, hard negatives, probed": _forward(
            slope="probed",
            probe=0.6,
            activity="mean",
            negatives="hard",
            max_step="free",
            saturation_gradient=False,
        ),
    }
    yield Benchmark(
        name=f"step, 784-500-500, batch {BATCH}",
        contenders={name: Contender(run=run) for name, run in contenders.items()},
        base="backprop, torch autograd",
        rounds=25,
        repeat=4,
    )


def _forward(**options: Any) -> Callable[[], object]:
    return step(ForwardForward, [Ideal] * (len(SIZES) - 1), SIZES, BATCH, **options)


def autograd_backprop(sizes: Sequence[int], batch: int) -> Callable[[], object]:
    """Return a backprop step with torch's own layers, derivatives and fused Adam."""
    hidden = [part for n, m in pairwise(sizes) for part in (torch.nn.Linear(n, m), torch.nn.ReLU())]
    model = torch.nn.Sequential(*hidden, torch.nn.Linear(sizes[-1], CLASSES))
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    x, labels = images(batch, sizes[0])

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()

    return step
