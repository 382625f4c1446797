"""Weight perturbation: learning from one number at the end of the network."""

from typing import Annotated

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import Observable
from analogff.learning import step_work
from analogff.learning.rule import Rule, RuleOptions
from analogff.learning.search_space import LogUniform
from analogff.system import Work, work
from analogff.timing import UpdateBeforePass


class WeightPerturbationOptions(RuleOptions):
    """Options of weight perturbation."""

    directions: Annotated[int, Field(ge=1)] = 2
    """Random directions averaged in a step; each costs two reads for every image and layer."""
    size: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    """Size of the change of every weight: small compared with the curvature, large compared with the read noise."""


class WeightPerturbation(Rule[WeightPerturbationOptions]):
    r"""Two-sided simultaneous perturbation of all weights.

    .. math:: \hat g = \frac1K \sum_k \frac{C(w + c\Delta_k) - C(w - c\Delta_k)}{2c}\, \Delta_k^{-1},
              \quad \Delta_k \in \{-1, 1\}^P

    The perturbation is written by pulses like any other change, split into the writes that the datasheet requires. It
    lands as the physics allows: cells with different steps up and down do not return to their state. The two losses
    come from two reads with independent noise. The cosine of the estimate with the gradient falls as ``1/sqrt(1 + (P -
    1)/K)``. Forward-Forward does not have this variance.

    Args:
        network: Sealed at LOSS.
        options: See `WeightPerturbationOptions`.
        seed: Draws the directions.

    Reference:
        Spall, IEEE Trans. Automatic Control 37 (1992), equation 2.2.
    """

    name = "weight-perturbation"
    Options = WeightPerturbationOptions

    @classmethod
    @override
    def needs(cls, options):
        return Observable.LOSS

    @classmethod
    @override
    def schedule(cls, options):
        return UpdateBeforePass()

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        cells = sum(n_in * n_out for n_in, n_out in shapes)
        costs = step_work.passing(shapes, batch) + work.cross_entropy(batch, shapes[-1][1])
        direction = _drawn(cells) + _moved(cells).times(3) + costs.times(2) + work.difference(cells)
        return direction.times(options.directions) + work.total(step_work.adam(options, shape) for shape in shapes)

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, a direction and the estimate."""
        return super().kept_bytes(options, shapes, batch) + 2 * step_work.weights(shapes)

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"size": LogUniform(1e-3, 0.1)}

    @override
    def step(self, images, labels):
        estimate, costs = None, []
        for _ in range(self.options.directions):
            directions = [self._direction(optimizer.layer, images.device) for optimizer in self.optimizers]
            up, down = self._cost_both_sides(directions, images, labels)
            costs.append((up + down) / 2)
            share = ((up - down) / (2 * self.options.size * self.options.directions)).view(-1, 1, 1)
            for optimizer, direction in zip(self.optimizers, directions, strict=True):
                optimizer.layer.compute(*work.difference(direction.numel()))  # a share of it on the estimate so far
            parts = [share * direction for direction in directions]
            estimate = parts if estimate is None else [e.add_(p) for e, p in zip(estimate, parts, strict=True)]
        for optimizer, gradient in zip(self.optimizers, estimate or [], strict=True):
            optimizer.step(gradient)
        return torch.stack(costs).mean(0)

    def _cost_both_sides(self, directions, images, labels) -> tuple[torch.Tensor, torch.Tensor]:
        """Read the loss on either side, and go back to where the weights were."""
        size = self.options.size
        self._move(directions, size)
        up = self.network.loss(images, labels)
        self._move(directions, -2 * size)
        down = self.network.loss(images, labels)
        self._move(directions, size)
        return up, down

    def _move(self, directions: list[torch.Tensor], size: float) -> None:
        for optimizer, direction in zip(self.optimizers, directions, strict=True):
            optimizer.layer.compute(*_moved(direction.numel()))
            optimizer.move((direction * size).expand(self.network.chips, -1, -1))

    def _direction(self, layer, device) -> torch.Tensor:
        """Draw signs, ``(n_out, n_in)``; the same for all chips, so that none depends on its neighbors."""
        shape = (layer.datasheet.n_out, layer.datasheet.n_in)
        layer.compute(*_drawn(layer.datasheet.n_out * layer.datasheet.n_in))
        signs = torch.randint(0, 2, shape, generator=self.generator, dtype=torch.int8)
        return signs.to(device, torch.float32).mul_(2).sub_(1)


def _drawn(cells: int) -> Work:
    return work.elementwise(cells, operations=1, operands=0)


def _moved(cells: int) -> Work:
    return work.elementwise(cells, operations=1, operands=1)
