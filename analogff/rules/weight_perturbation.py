"""Weight perturbation: learning from one number at the end of the network."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from typing_extensions import override

from analogff.learning import flows, step_work
from analogff.learning.loss_rule import LossRule
from analogff.learning.perturbation import Distribution, draw, drawn_work, move, moved_work
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.learning.rule import RuleOptions
from analogff.learning.search_space import LogUniform
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Phase, Update


class WeightPerturbationOptions(RuleOptions):
    """Options of weight perturbation."""

    directions: Annotated[int, Field(ge=1)] = 2
    """Random directions averaged in a step; each costs two reads for every image and layer, or one if `sides` is
    `one`, beside one a step."""
    size: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    """Size of the change of every weight: small compared with the curvature, large compared with the read noise."""
    sides: Literal["two", "one"] = "two"
    """Losses that are compared. `two`: of a direction and its opposite. `one`: of a direction and of the weights as
    they are, which all directions of a step share."""
    distribution: Distribution = "signs"
    """Distribution of the directions: random signs, or Gaussian of variance 1."""
    local: bool = False
    """Whether each layer is moved alone. The variance is then that of the layer's weights, and every direction takes
    a pass for each layer."""


class WeightPerturbation(LossRule[WeightPerturbationOptions]):
    r"""Simultaneous perturbation of all weights.

    .. math:: \hat g = \frac1K \sum_k \frac{C(w + c\Delta_k) - C(w - c\Delta_k)}{2c}\, \Delta_k,
              \quad \Delta_k \in \{-1, 1\}^P \text{ or } \mathcal N(0, 1)

    or, if one-sided, :math:`(C(w + c\Delta_k) - C(w)) / c`, whose bias is of first order in ``c``. The perturbation is
    written by pulses like any other change, split into the writes that the datasheet requires. It lands as the physics
    allows: cells with different steps up and down do not return to their state. The losses come from reads with
    independent noise. The cosine of the estimate with the gradient falls as ``1/sqrt(1 + (P - 1)/K)``, Gaussian as
    ``1/sqrt(1 + (P + 1)/K)``. If a layer is moved alone, ``P`` is the number of its own weights. Forward-Forward
    does not have this variance.

    Args:
        network: Sealed at LOSS.
        options: See `WeightPerturbationOptions`.
        seed: Draws the directions.

    Reference:
        Spall, IEEE Trans. Automatic Control 37 (1992), equation 2.2. Gaussian: Nesterov & Spokoiny, Foundations of
        Computational Mathematics 17 (2017), equations 22 and 26.
    """

    name = "weight-perturbation"
    Options = WeightPerturbationOptions
    convolves = True

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        cells = sum(n_in * n_out for n_in, n_out in shapes)
        cost = step_work.passing(shapes, batch) + work.cross_entropy(batch, shapes[-1][1])
        two, groups = options.sides == "two", len(_groups(options, len(shapes)))
        direction = drawn_work(cells, options.distribution) + moved_work(cells).times(3 if two else 2)
        direction += work.difference(cells) + cost.times((2 if two else 1) * groups)
        parts = [direction.times(options.directions), Work() if two else cost]
        return work.total([*parts, *(step_work.optimizer(options, shape) for shape in shapes)])

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        loss = flows.jobs(batch, cross_entropy=work.cross_entropy(batch, shapes[-1][1]))
        read = (Pass(name="loss", visits=flows.forward([n_in for n_in, _ in shapes], loss)),)
        phases = [Phase(passes=read)] * (options.sides == "one")
        for _ in range(options.directions):
            for group in _groups(options, len(shapes)):
                phases += _direction(options, {n: shapes[n] for n in group}, read)
        step = Phase(updates=flows.updates(options, dict(enumerate(shapes))))
        return [Dataflow(batch=batch, phases=(*phases, step))]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, a direction of what is moved together, and the estimate."""
        groups = _groups(options, len(shapes))
        direction = max(step_work.weights([shapes[n] for n in group]) for group in groups)
        return super().kept_bytes(options, shapes, batch) + step_work.weights(shapes) + direction

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"size": LogUniform(1e-3, 0.1)}

    @override
    def step(self, images, labels):
        costs: list[torch.Tensor] = []
        base = None
        if self.options.sides == "one":
            base = self.network.loss(images, labels)
            costs.append(base)
        estimate: list[torch.Tensor | None] = [None] * len(self.optimizers)
        for _ in range(self.options.directions):
            for group in _groups(self.options, len(self.optimizers)):
                moved = [self.optimizers[n] for n in group]
                directions = [draw(o.layer, self.options.distribution, self.generator) for o in moved]
                up, down, distance = self._costs(moved, directions, images, labels, base)
                if base is None:
                    costs.append((up + down) / 2)
                share = ((up - down) / (distance * self.options.directions)).view(-1, 1, 1)
                for n, direction in zip(group, directions, strict=True):
                    self.optimizers[n].layer.compute(*work.difference(direction.numel()))  # a share on the sum so far
                    before = estimate[n]
                    estimate[n] = share * direction if before is None else before.add_(share * direction)
        for optimizer, gradient in zip(self.optimizers, estimate, strict=True):
            assert gradient is not None
            optimizer.step(gradient)
        return torch.stack(costs).mean(0)

    def _costs(
        self,
        moved: Sequence[PulseOptimizer],
        directions: Sequence[torch.Tensor],
        images: torch.Tensor,
        labels: torch.Tensor,
        base: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor, float]:
        """Read the loss on either side, and go back to where the weights were; return also how far they are apart."""
        size = self.options.size
        self._move(moved, directions, size)
        up = self.network.loss(images, labels)
        if base is not None:
            self._move(moved, directions, -size)
            return up, base, size
        self._move(moved, directions, -2 * size)
        down = self.network.loss(images, labels)
        self._move(moved, directions, size)
        return up, down, 2 * size

    def _move(self, moved: Sequence[PulseOptimizer], directions: Sequence[torch.Tensor], size: float) -> None:
        """Move weights between two passes, both of which take time, and so does the writing."""
        self.pass_over(1)
        move(moved, directions, size)
        self.pass_over(1)


def _groups(options: WeightPerturbationOptions, layers: int) -> list[range]:
    """Return the layers that are moved together."""
    return [range(n, n + 1) for n in range(layers)] if options.local else [range(layers)]


def _direction(
    options: WeightPerturbationOptions, shapes: dict[int, step_work.Shape], read: tuple[Pass, ...]
) -> list[Phase]:
    """Return the moves of some layers along one direction, and the passes between them."""

    def moved(**more: Callable[[int], Work]) -> tuple[Update, ...]:
        cells = {layer: n_in * n_out for layer, (n_in, n_out) in shapes.items()}
        found = {
            n: {label: of(size) for label, of in more.items()} | {"move": moved_work(size)} for n, size in cells.items()
        }
        return tuple(Update(layer=layer, jobs=flows.jobs(1, **work)) for layer, work in found.items())

    there = Phase(updates=moved(direction=lambda cells: drawn_work(cells, options.distribution)))
    across = [Phase(passes=read, updates=moved())] * (options.sides == "two")
    return [there, *across, Phase(passes=read, updates=moved(estimate=work.difference))]
