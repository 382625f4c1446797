"""FFzero: layers that move to prototypes of the classes, along random directions of their weights."""

from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import Observable, Sealed, derive_seed, product, whole
from analogff.learning import flows, step_work
from analogff.learning.class_scores import LayerVote, ScoreOptions, dropout_work, with_dropout
from analogff.learning.head import cross_entropy_of_chips
from analogff.learning.layer_local import mean_loss
from analogff.learning.perturbation import Distribution, draw, drawn_work, move, moved_work
from analogff.learning.rule import Rule, RuleOptions
from analogff.learning.search_space import LogUniform
from analogff.learning.voting import Voting
from analogff.network.normalization import length_normalize
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Phase, Update, Visit
from analogff.timing import UpdateAfterPass


class FFzeroOptions(ScoreOptions, RuleOptions):
    """Options of FFzero."""

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 8.0
    """Factor on the cosines with the prototypes, before they are compared."""
    directions: Annotated[int, Field(ge=1)] = 2
    """Random directions averaged in a step; each costs two reads of every image and hidden layer, beside one a step."""
    size: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    """Size of the change of every weight: small compared with the curvature, large compared with the read noise."""
    distribution: Distribution = "gaussian"
    """Distribution of the directions: random signs, or Gaussian of variance 1."""


class FFzero(Voting, Rule[FFzeroOptions]):
    r"""Local losses by prototypes, and directional derivatives from forward reads alone.

    .. math:: s_{lk} = \alpha \frac{p_{lk} \cdot y_l}{|y_l|}, \qquad
              \hat g_l = \frac1K \sum_k \frac{L_l(W_l + c \Delta_k) - L_l(W_l - c \Delta_k)}{2c}\, \Delta_k

    with the cross-entropy :math:`L_l` of the cosines ``s`` with a fixed random prototype of each class. A layer keeps
    the inputs that it had in a pass before it was moved. So all layers are moved and read side by side, and no layer
    hears of another's directions. The variance is that of the weights of a layer. No bias port, no slope, and nothing
    that learns beside the chip: an image costs ``classes n`` multiply-adds a loss.

    Args:
        network: Sealed at ACTIVITY.
        options: See `FFzeroOptions`.
        seed: Draws the prototypes and the directions, the same for all chips.

    Reference:
        Local learning for stable backpropagation-free neural network training towards physical learning (arXiv
        2603.24790), from its abstract: layer-wise losses, prototypes, directional derivatives by forward evaluations.
        The cosine, its cross-entropy and random prototypes are choices made here.
    """

    name = "ffzero"
    Options = FFzeroOptions
    descends = "scores"
    convolves = True

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.objectives = [
            Prototypes(_prototypes(layer, network.classes, derive_seed(seed, "prototypes", n)), options.scale)
            for n, layer in enumerate(network.layers)
        ]
        self.vote = LayerVote(network, self.objectives, options.vote)

    @classmethod
    @override
    def needs(cls, options):
        return Observable.ACTIVITY

    @classmethod
    @override
    def schedule(cls, options):
        return UpdateAfterPass()

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        *hidden, (_, classes) = shapes
        parts = [step_work.passing(hidden, batch), dropout_work(options, batch * shapes[0][0])]
        for shape in hidden:
            cells, loss = shape[0] * shape[1], _loss(batch, shape[1], classes)
            direction = drawn_work(cells, options.distribution) + moved_work(cells).times(3) + work.difference(cells)
            parts += [loss, (direction + loss.times(2)).times(options.directions), step_work.optimizer(options, shape)]
        return work.total(parts)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        *hidden, (_, classes) = shapes
        judged = [flows.jobs(batch, loss=_loss(batch, n, classes)) for _, n in hidden]
        first = [
            Visit(
                layer=n,
                before=(
                    *flows.jobs(batch, dropout=dropout_work(options, batch * shape[0] * (n == 0))),
                    *flows.normalizing(shape[0]),
                ),
                reads=1,
                after=judged[n],
            )
            for n, shape in enumerate(hidden)
        ]
        sides = flows.apart("side", [Visit(layer=n, reads=1, after=jobs) for n, jobs in enumerate(judged)])
        there = Phase(passes=(Pass(name="forward", visits=tuple(first)),), updates=_moves(hidden, options))
        across = Phase(passes=sides, updates=_moves(hidden))
        back = Phase(passes=sides, updates=_moves(hidden, estimate=work.difference))
        again = (Phase(updates=_moves(hidden, options)), across, back)
        step = Phase(updates=flows.updates(options, dict(enumerate(hidden))))
        phases = (there, across, back, *again * (options.directions - 1), step)
        return [Dataflow(batch=batch, phases=phases)]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, the inputs of all layers, directions, estimates, and prototypes."""
        *hidden, (_, classes) = shapes
        inputs = sum(step_work.activities(shape, batch) for shape in hidden)
        prototypes = step_work.weights([(n, classes) for _, n in hidden])
        return step_work.registers(options, hidden) + inputs + 2 * step_work.weights(hidden) + prototypes

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"size": LogUniform(1e-3, 0.1), "scale": LogUniform(2.0, 32.0)}

    @override
    def step(self, images, labels):
        kept = with_dropout(self.network, images, self.options.input_dropout, self.generator)
        passed = list(self.network.forward(self.network.present(kept)))
        inputs = [whole(layer.x) for layer in passed]
        losses = [self._loss(n, layer.y, labels) for n, layer in enumerate(passed)]
        moved = self.optimizers[: len(passed)]
        estimates = [torch.zeros(o.layer.chips, *_shape(o.layer), device=o.layer.torch_device) for o in moved]
        size, share = self.options.size, 2 * self.options.size * self.options.directions
        for _ in range(self.options.directions):
            directions = [draw(o.layer, self.options.distribution, self.generator) for o in moved]
            move(moved, directions, size)
            ups = self._losses(inputs, labels)
            move(moved, directions, -2 * size)
            downs = self._losses(inputs, labels)
            move(moved, directions, size)
            for estimate, direction, up, down, o in zip(estimates, directions, ups, downs, moved, strict=True):
                o.layer.compute(*work.difference(direction.numel()))
                estimate += ((up - down) / share).view(-1, 1, 1) * direction
        for optimizer, estimate in zip(moved, estimates, strict=True):
            optimizer.step(estimate)
        return mean_loss(losses)

    def _losses(self, inputs: Sequence[torch.Tensor], labels: torch.Tensor) -> list[torch.Tensor]:
        """Read every layer with inputs that were kept, and return its loss, ``(chips,)``."""
        answers = [layer.measure(x) for layer, x in zip(self.network.layers, inputs, strict=True)]
        return [self._loss(n, y, labels) for n, y in enumerate(answers)]

    def _loss(self, layer: int, y: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        self.network.layers[layer].compute(*_loss(y.shape[1], y.shape[2], self.network.classes))
        return cross_entropy_of_chips(self.objectives[layer].scores(y), labels)


class Prototypes:
    r"""Scores of a layer by the cosine with a prototype of each class; see `FFzero`.

    Args:
        directions: :math:`p_k`, of length 1, ``(classes, n)``.
        scale: ``alpha``.
    """

    state_names = ()

    def __init__(self, directions: torch.Tensor, scale: float):
        self.directions = directions * (scale / directions.shape[1] ** 0.5)

    def scores(self, y: torch.Tensor) -> torch.Tensor:
        """Score the classes, ``(chips, batch, n)`` to ``(chips, batch, classes)``."""
        return product(length_normalize(y), self.directions.expand(len(y), -1, -1))

    def scores_work(self, vectors: int, n: int) -> Work:
        """Return the digital work of `scores`."""
        return _scores(vectors, n, len(self.directions))


def _prototypes(layer: Sealed, classes: int, seed: int) -> torch.Tensor:
    drawn = torch.randn(classes, layer.datasheet.n_out, generator=torch.Generator().manual_seed(seed))
    return (drawn / drawn.norm(dim=1, keepdim=True)).to(layer.torch_device)


def _shape(layer: Sealed) -> tuple[int, int]:
    return layer.datasheet.weight_shape


def _moves(
    shapes: Sequence[step_work.Shape], drawn: FFzeroOptions | None = None, **more: Callable[[int], Work]
) -> tuple[Update, ...]:
    """Return a move of every layer along its direction, drawn first if options are given."""
    updates = []
    for layer, (n_in, n_out) in enumerate(shapes):
        cells = n_in * n_out
        direction = drawn_work(cells, drawn.distribution) if drawn else Work()
        found = {label: of(cells) for label, of in more.items()}
        updates.append(Update(layer=layer, jobs=flows.jobs(1, direction=direction, move=moved_work(cells), **found)))
    return tuple(updates)


def _scores(vectors: int, n: int, classes: int) -> Work:
    """Return the digital work of cosines: normalization, and products with the prototypes."""
    return work.normalization(vectors, n) + work.product(vectors, n, classes)


def _loss(vectors: int, n: int, classes: int) -> Work:
    """Return that of the loss of a layer."""
    return _scores(vectors, n, classes) + work.cross_entropy(vectors, classes)
