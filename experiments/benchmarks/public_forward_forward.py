"""What does a Forward-Forward step cost against the way it is commonly published?"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from parts import CLASSES, images, step
from timing import Benchmark, Contender
from torch.nn.functional import softplus
from typing_extensions import override

from analogff.rules.forward_forward import ForwardForward
from hardware_models.generic.ideal import Ideal

THRESHOLD, RATE = 2.0, 0.003


def benchmarks() -> Iterator[Benchmark]:
    """Yield a small net and a large one."""
    yield _steps((784, 500, 500), 100, "784-500-500", rounds=25, repeat=4)
    yield _steps((784, 2000, 2000, 2000, 2000), 512, "784-4x2000", rounds=9)


def _steps(sizes: Sequence[int], batch: int, title: str, **timing: int) -> Benchmark:
    layers = [Ideal] * (len(sizes) - 1)
    options: dict[str, Any] = dict(slope="assumed", negatives="random", loss="hinton", scale=12.0)
    contenders = {
        "ours": Contender(run=step(ForwardForward, layers, sizes, batch, **options)),
        "autograd, layer by layer": Contender(run=public_step(sizes, batch), target=">= 2"),
        "autograd, each layer read anew once it has learned": Contender(
            run=public_step(sizes, batch, anew=True), target=">= 2"
        ),
    }
    return Benchmark(name=f"public, {title}, batch {batch}", contenders=contenders, base="ours", **timing)


class LocalLayer(torch.nn.Linear):
    r"""A layer that learns by itself.

    .. math::
        L = \mathrm{softplus}(\theta - G_+) + \mathrm{softplus}(G_- - \theta), \quad
        G = \tfrac1n \sum_j y_j^2, \quad y = \mathrm{relu}(W x / |x| + b)

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), sections 2 and 3.
    """

    def __init__(self, n_in: int, n_out: int):
        super().__init__(n_in, n_out)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=RATE)

    @override
    def forward(self, input):
        return super().forward(input / (input.norm(dim=1, keepdim=True) + 1e-4)).relu()

    def learn(self, positive: torch.Tensor, negative: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Take a step, and return both activities from before it."""
        y, z = self(positive), self(negative)
        loss = softplus(torch.cat([THRESHOLD - y.square().mean(1), z.square().mean(1) - THRESHOLD])).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return y.detach(), z.detach()


def public_step(sizes: Sequence[int], batch: int, *, anew: bool = False) -> Callable[[], object]:
    """Return a step of such layers, labels written into the images, with negatives drawn at random.

    Args:
        sizes: Inputs of the first layer, then each layer's width.
        batch: Images a step.
        anew: Whether a layer passes on what it answers after its update, as most published code does, which
            costs two reads more; otherwise what it answered before, as ours does.
    """
    layers = [LocalLayer(n, m) for n, m in pairwise(sizes)]
    x, labels = images(batch, sizes[0])

    def step() -> None:
        wrong = (labels + torch.randint(1, CLASSES, labels.shape)) % CLASSES
        signals = _overlay(x, labels), _overlay(x, wrong)
        for layer in layers:
            before = layer.learn(*signals)
            signals = (layer(signals[0]).detach(), layer(signals[1]).detach()) if anew else before

    return step


def _overlay(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    marked = x.clone()
    marked[:, :CLASSES] = 0
    marked[torch.arange(len(x)), labels] = 1
    return marked
