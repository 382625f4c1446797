"""Forward gradients: layers that learn from how losses of their own answer to noise at their neurons."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import Observable, Sealed
from analogff.learning import flows, step_work
from analogff.learning.class_scores import LayerVote, ScoreOptions, dropout_work, with_dropout
from analogff.learning.group_scores import GroupScores
from analogff.learning.layer_local import mean_loss
from analogff.learning.rule import Rule, RuleOptions
from analogff.learning.search_space import LogUniform
from analogff.learning.voting import Voting
from analogff.network.forward import Passed
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Phase, Visit
from analogff.timing import LocalUpdates


class ForwardGradientOptions(ScoreOptions, RuleOptions):
    """Options of forward gradients."""

    groups: Annotated[int, Field(ge=1)] = 1
    """Groups of neighboring neurons in a layer, each with a loss of its own; at most as many as there are neurons. The
    variance is that of the neurons of a group, but a small group knows little of the classes: in brief trainings one
    group learned fastest."""
    directions: Annotated[int, Field(ge=1)] = 1
    """Random directions averaged in a step; each costs two reads of every image and hidden layer, beside one a step."""
    size: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.1
    """Standard deviation of the noise injected at the summing nodes: small compared with the curvature of neurons,
    large compared with the read noise."""
    projection_learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the projections from which groups score the classes; decays like `learning_rate`."""


class _Reading(NamedTuple):
    """What a layer showed."""

    y: torch.Tensor
    """The activity without noise, ``(chips, batch, n_out)``."""
    noise: list[torch.Tensor]
    """What was injected for each direction, ``(batch, n_out)``."""
    sides: list[torch.Tensor]
    """The activities with each noise and with its opposite, in pairs."""


class ForwardGradient(Voting, Rule[ForwardGradientOptions]):
    r"""Layers that descend along random directions of their activity, by as much as local losses fall.

    .. math:: \Delta W_l \propto -\sum_b \left(D_{lb} \circ \xi_{lb}\right) x_{lb}^T, \qquad
              D_{lbj} = \frac{L_g(f(a + \xi)) - L_g(f(a - \xi))}{2 \sigma^2}, \quad j \in g

    with noise :math:`\xi \sim \mathcal N(0, \sigma^2)` through the bias port and the cross-entropy
    :math:`L_g` of class scores that a digital projection makes of the neurons of group ``g``. All groups of a layer are
    perturbed by the same two reads. The variance grows with the neurons of a *group*, neither with those of the
    network nor with its weights. Projections learn by their own gradient, from a third read without noise. No slope of
    any neuron is used: the difference is taken of losses. Each image has its own noise.

    Args:
        network: Sealed at PROBE.
        options: See `ForwardGradientOptions`.
        seed: Draws the projections to begin with, and the noise, the same for all chips.

    Raises:
        ValueError: If a layer has fewer neurons than groups.

    Reference:
        Ren, Kornblith, Liao, Hinton, Scaling Forward Gradient With Local Losses (ICLR 2023, arXiv 2210.03310),
        activity perturbation, equation 5, with losses in groups. Theirs is a Jacobian-vector product of exact
        arithmetic, and a group's loss also sees the activities of the others; here are two noisy reads, and groups that
        see their own.
    """

    name = "forward-gradient"
    Options = ForwardGradientOptions
    descends = "scores"
    convolves = True

    state_names = ("objectives",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        widths = [layer.datasheet.n_out for layer in network.layers]
        _refuse_narrow(options, widths)
        self.objectives = [
            GroupScores(
                network.chips,
                _sizes(options, width),
                network.classes,
                scale=options.scale,
                learning_rate=options.projection_learning_rate,
                generator=self.generator,
                device=network.head.torch_device,
            )
            for width in widths
        ]
        self.vote = LayerVote(network, self.objectives, options.vote)

    @classmethod
    @override
    def needs(cls, options):
        return Observable.PROBE

    @classmethod
    @override
    def schedule(cls, options):
        return LocalUpdates()

    @classmethod
    @override
    def layer_shapes(cls, options, n_in, widths, classes):
        _refuse_narrow(options, widths)
        return super().layer_shapes(options, n_in, widths, classes)

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        *hidden, (_, classes) = shapes
        parts = [step_work.passing(hidden, batch), dropout_work(options, batch * shapes[0][0])]
        for shape in hidden:
            sizes = _sizes(options, shape[1])
            parts += [_noise(batch * shape[1]).times(options.directions), _errors(options, batch, shape[1], classes)]
            parts += [GroupScores.learning_work(batch, sizes, classes), step_work.descent(options, shape, batch)]
        return work.total(parts)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        *hidden, (_, classes) = shapes
        visits = []
        for n, shape in enumerate(hidden):
            dropped = flows.jobs(batch, dropout=dropout_work(options, batch * shape[0] * (n == 0)))
            noise = flows.jobs(batch, noise=_noise(batch * shape[1]).times(options.directions))
            learned = flows.jobs(
                batch,
                error=_errors(options, batch, shape[1], classes),
                projection=GroupScores.learning_work(batch, _sizes(options, shape[1]), classes),
            )
            visit = Visit(
                layer=n,
                before=(*dropped, *flows.normalizing(shape[0]), *noise),
                reads=2 * options.directions + 1,
                after=(*learned, *flows.descending(shape, batch)),
                kept_bytes=step_work.activities(shape, 1),
            )
            visits.append(visit)
        updates = flows.updates(options, dict(enumerate(hidden)))
        passes = (Pass(name="learning", visits=tuple(visits)),)
        return [Dataflow(batch=batch, phases=(Phase(passes=passes, updates=updates, barrier=False),))]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, activities of one layer with those of all sides, and projections with their registers."""
        *hidden, (_, classes) = shapes
        sides = max(step_work.activities((0, n), options.directions * batch) for _, n in hidden)
        projections = GroupScores.bytes_of([n for _, n in hidden], classes)
        return super().kept_bytes(options, shapes, batch) + sides + projections

    @classmethod
    @override
    def search_space(cls, options):
        own = {"size": LogUniform(0.01, 1.0), "projection_learning_rate": LogUniform(1e-4, 1e-2)}
        return super().search_space(options) | own

    @override
    def advance(self, progress):
        super().advance(progress)
        for objective in self.objectives:
            objective.fade = self.fade

    @override
    def step(self, images, labels):
        kept = with_dropout(self.network, images, self.options.input_dropout, self.generator)
        reads = [self._reader(layer) for layer in self.network.layers]
        return mean_loss(
            [self._learn(passed, labels) for passed in self.network.forward(self.network.present(kept), reads)]
        )

    def _reader(self, layer: Sealed):
        """Return what reads a layer with noise, with its opposite, and without."""

        def read(x: torch.Tensor) -> _Reading:
            shape = (x.shape[1], layer.datasheet.n_out)
            layer.compute(*_noise(shape[0] * shape[1]).times(self.options.directions))
            drawn = [torch.randn(shape, generator=self.generator) for _ in range(self.options.directions)]
            noise = [self.options.size * xi.to(layer.torch_device) for xi in drawn]
            biases = [bias for xi in noise for bias in (xi, -xi)]
            *sides, y = layer.probe(x, (*biases, torch.zeros((), device=layer.torch_device)))
            return _Reading(y, noise, sides)

        return read

    def _learn(self, passed: Passed[_Reading], labels: torch.Tensor) -> torch.Tensor:
        """Take a layer one step down its losses, and return their sum."""
        (y, noise, sides), objective = passed.reading, self.objectives[passed.layer]
        layer, batch = self.network.layers[passed.layer], passed.y.shape[1]
        layer.compute(*_errors(self.options, batch, y.shape[2], self.network.classes))
        error = torch.zeros_like(y)
        for xi, up, down in zip(noise, sides[::2], sides[1::2], strict=True):
            difference = objective.losses(up, labels) - objective.losses(down, labels)
            error += objective.spread(difference) * (xi / (2 * self.options.size**2 * len(noise) * batch))
        layer.compute(*GroupScores.learning_work(batch, objective.sizes, self.network.classes))
        loss = objective.learn(y, labels)
        self.optimizers[passed.layer].descend(error, passed.x)
        return loss


def _sizes(options: ForwardGradientOptions, width: int) -> list[int]:
    """Return the neurons of each group."""
    return [len(group) for group in torch.arange(width).tensor_split(options.groups)]


def _refuse_narrow(options: ForwardGradientOptions, widths: Sequence[int]) -> None:
    for layer, width in enumerate(widths, start=1):
        if width < options.groups:
            raise ValueError(
                f"Expected at least {options.groups} neurons in layer {layer}, one a group. Got {width}. "
                "Make it wider, or take fewer groups."
            )


def _noise(n: int) -> Work:
    """Return the digital work of noise: drawn, and scaled."""
    return work.elementwise(n, operations=2, operands=0)


def _errors(options: ForwardGradientOptions, batch: int, n: int, classes: int) -> Work:
    """Return that of the losses of all sides and what they make of the noise."""
    sizes = _sizes(options, n)
    losses = GroupScores.losses_work(batch, sizes, classes).times(2)
    found = work.difference(batch * len(sizes)) + work.elementwise(batch * n, operations=2, operands=2)
    return (losses + found).times(options.directions)
