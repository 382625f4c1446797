"""Evolution strategies: learning from the losses of a population of perturbed weights."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.learning import flows, step_work
from analogff.learning.loss_rule import LossRule
from analogff.learning.perturbation import draw, drawn_work
from analogff.learning.rule import RuleOptions, refuse_idle
from analogff.learning.search_space import LogUniform
from analogff.system import Work, work
from analogff.timeline import Dataflow, Job, Pass, Phase, Update

MOST_CHANGE = 0.2
"""Greatest relative change of a size in a step."""


class EvolutionStrategiesOptions(RuleOptions):
    """Options of evolution strategies."""

    learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    """Learning rate, before its decay."""
    form: Literal["ranks", "pepg"] = "ranks"
    """What a member of the population counts for. `ranks`: the rank of its loss, with one size for all weights.
    `pepg`: its loss, and every weight has a size of its own, which is learned."""
    pairs: Annotated[int, Field(ge=2)] = 8
    """Pairs of opposite perturbations in a step; each costs two reads for every image and layer."""
    size: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.02
    """Standard deviation of the perturbation of every weight; with `pepg` to begin with."""
    size_learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    """Learning rate of the sizes of `pepg`; decays like `learning_rate`. Small populations need a small one, since
    sizes walk at random by this times the root of 2 over the pairs."""

    @field_validator("size_learning_rate")
    @classmethod
    def _sizes_are_learned(cls, value, info):
        return refuse_idle(cls, info, value, user="form", used_by="pepg")


class EvolutionStrategies(LossRule[EvolutionStrategiesOptions]):
    r"""Search along Gaussian perturbations of all weights, each with its opposite.

    .. math:: \hat g = \frac{1}{2 n \sigma} \sum_{k=1}^n (\rho_k^+ - \rho_k^-)\, \epsilon_k \quad\text{(ranks)}, \qquad
              \hat g = \frac{1}{2 n} \sum_{k=1}^n (C_k^+ - C_k^-)\, \frac{\epsilon_k}{\sigma} \quad\text{(pepg)}

    with :math:`C_k^\pm = C(w \pm \sigma \epsilon_k)`, :math:`\epsilon \sim \mathcal N(0, 1)`, and centered ranks of
    all :math:`2n` losses, :math:`\rho \in [-\tfrac12, \tfrac12]`. PEPG learns a size for each weight:

    .. math:: \frac{\Delta \sigma}{\sigma} = -\frac{\eta_\sigma}{n} \sum_k \frac{\bar C_k - b}{s}\, (\epsilon_k^2 - 1),
              \qquad \bar C_k = \tfrac12 (C_k^+ + C_k^-)

    by at most 0.2 a step, with mean ``b`` and standard deviation ``s`` of :math:`\bar C`. Perturbations are drawn
    twice, once to be written and once when all losses are known, so that one at a time is in memory. Ranks ignore how
    large differences are: one bad read counts no more than another. OpenAI's weight decay of 0.005 has its counterpart
    in `update_decay`, since nobody reads the weights.

    Args:
        network: Sealed at LOSS.
        options: See `EvolutionStrategiesOptions`.
        seed: Draws the perturbations, the same for all chips.

    Reference:
        ranks: Salimans et al., Evolution Strategies as a Scalable Alternative to Reinforcement Learning (arXiv
        1703.03864), algorithm 1, and the authors' code: size 0.02, Adam 0.01. pepg: Sehnke et al., Neural Networks 23
        (2010), section 3.2, symmetric sampling; the baseline is the mean of a step, and losses are divided by their
        spread.
    """

    name = "evolution-strategies"
    Options = EvolutionStrategiesOptions
    convolves = True

    state_names = ("sizes",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        layers = [o.layer for o in self.optimizers] if options.form == "pepg" else []
        self.sizes = [
            torch.full((layer.chips, *layer.datasheet.weight_shape), options.size).to(layer.torch_device)
            for layer in layers
        ]

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        cells = sum(n_in * n_out for n_in, n_out in shapes)
        costs = (step_work.passing(shapes, batch) + work.cross_entropy(batch, shapes[-1][1])).times(2)
        pair = costs + drawn_work(cells, "gaussian") + _moved(options, cells).times(3) + _found(options, cells)
        learned = [step_work.optimizer(options, shape) for shape in shapes] + [
            _resized(options, cells),
            _ranked(options),
        ]
        return pair.times(options.pairs) + work.total(learned)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        loss = flows.jobs(batch, cross_entropy=work.cross_entropy(batch, shapes[-1][1]))
        sides = (Pass(name="loss", visits=flows.forward([n_in for n_in, _ in shapes], loss)),)
        cells = [n_in * n_out for n_in, n_out in shapes]

        def moved(drawn: bool = False) -> tuple[Update, ...]:
            jobs = [flows.jobs(1, direction=drawn_work(n * drawn, "gaussian"), move=_moved(options, n)) for n in cells]
            return tuple(Update(layer=layer, jobs=of_layer) for layer, of_layer in enumerate(jobs))

        pair = (Phase(updates=moved(True)), Phase(passes=sides, updates=moved()), Phase(passes=sides, updates=moved()))
        ranked = flows.jobs(1, ranks=_ranked(options))
        updates = []
        for update, n in zip(flows.updates(options, dict(enumerate(shapes))), cells, strict=True):
            found = flows.jobs(1, estimate=_found(options, n).times(options.pairs), sizes=_resized(options, n))
            first: tuple[Job, ...] = ranked if update.layer == len(shapes) - 1 else ()
            updates.append(dataclasses.replace(update, jobs=(*first, *found, *update.jobs)))
        return [Dataflow(batch=batch, phases=(*pair * options.pairs, Phase(updates=tuple(updates))))]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, a perturbation and the estimate; with `pepg` also the sizes and their change."""
        numbers = 4 if options.form == "pepg" else 2
        return super().kept_bytes(options, shapes, batch) + numbers * step_work.weights(shapes)

    @classmethod
    @override
    def search_space(cls, options):
        rates = {"learning_rate": LogUniform(3e-4, 3e-2)} if options.optimizer == "adam" else {}
        own = rates | {"size": LogUniform(1e-3, 0.1)}
        return super().search_space(options) | own

    @override
    def step(self, images, labels):
        states, ups, downs = [], [], []
        for _ in range(self.options.pairs):
            states.append(self.generator.get_state())
            noise = [draw(o.layer, "gaussian", self.generator) for o in self.optimizers]
            self._move(noise, 1)
            ups.append(self.network.loss(images, labels))
            self._move(noise, -2)
            downs.append(self.network.loss(images, labels))
            self._move(noise, 1)
        up, down = torch.stack(ups, 1), torch.stack(downs, 1)  # (chips, pairs)
        self.network.head.compute(*_ranked(self.options))
        self._learn(states, up, down)
        return (up + down).mean(1) / 2

    def _learn(self, states: Sequence[torch.Tensor], up: torch.Tensor, down: torch.Tensor) -> None:
        """Take a step by the losses of a population, whose perturbations are drawn again."""
        better, spread = _compared(self.options, up, down)
        again = torch.Generator()
        found: list[torch.Tensor] = []
        widths: list[torch.Tensor] = []
        for k, state in enumerate(states):
            again.set_state(state)
            noise = [draw(o.layer, "gaussian", again) for o in self.optimizers]
            for optimizer, each in zip(self.optimizers, noise, strict=True):
                optimizer.layer.compute(*_shared_work(self.options, each.numel()))
            found = _added(found, [_of_chip(better[:, k]) * each for each in noise])
            if self.sizes:
                widths = _added(widths, [_of_chip(spread[:, k]) * (each.square() - 1) for each in noise])
        for n, optimizer in enumerate(self.optimizers):
            gradient = found[n] / (self.sizes[n] if self.sizes else self.options.size)
            if self.sizes:
                optimizer.layer.compute(*_resized(self.options, gradient[0].numel()))
                change = widths[n] * (-self.options.size_learning_rate * self.fade)
                self.sizes[n] *= 1 + change.clamp(-MOST_CHANGE, MOST_CHANGE)
            optimizer.step(gradient)

    def _move(self, noise: Sequence[torch.Tensor], times: float) -> None:
        """Ask for so many times a perturbation of every layer, between two passes."""
        self.pass_over(1)
        for n, (optimizer, each) in enumerate(zip(self.optimizers, noise, strict=True)):
            optimizer.layer.compute(*_moved(self.options, each.numel()))
            size = self.sizes[n] if self.sizes else self.options.size
            optimizer.move((times * size * each).expand(self.network.chips, -1, -1))
        self.pass_over(1)  # writes take time too


def _compared(
    options: EvolutionStrategiesOptions, up: torch.Tensor, down: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what each perturbation and its square count for, ``(chips, pairs)`` each, from losses of that shape."""
    pairs = up.shape[1]
    if options.form == "ranks":
        ranks = torch.cat([up, down], dim=1).argsort(dim=1, stable=True).argsort(dim=1) / (2 * pairs - 1) - 0.5
        return (ranks[:, :pairs] - ranks[:, pairs:]) / (2 * pairs), torch.zeros_like(up)
    mean = (up + down) / 2
    apart = mean - mean.mean(1, keepdim=True)
    deviation = apart.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)
    return (up - down) / (2 * pairs), apart / deviation / pairs


def _added(sums: list[torch.Tensor], more: list[torch.Tensor]) -> list[torch.Tensor]:
    return [total.add_(part) for total, part in zip(sums, more, strict=True)] if sums else more


def _of_chip(factors: torch.Tensor) -> torch.Tensor:
    """Return one number a chip as a factor on its matrices."""
    return factors.view(-1, 1, 1)


def _moved(options: EvolutionStrategiesOptions, cells: int) -> Work:
    """Return the digital work of a perturbation before it is written: noise times its size, of all or of each."""
    return work.elementwise(cells, operations=1, operands=2 if options.form == "pepg" else 1)


def _shared_work(options: EvolutionStrategiesOptions, cells: int) -> Work:
    """Return that of adding a perturbation's share to the sums: of its square too, where sizes are learned."""
    squares = work.elementwise(cells, operations=4, operands=2) if options.form == "pepg" else Work()
    return work.difference(cells) + squares


def _found(options: EvolutionStrategiesOptions, cells: int) -> Work:
    """Return that of what a pair adds once all losses are known: its perturbation, drawn again, and the sums."""
    return drawn_work(cells, "gaussian") + _shared_work(options, cells)


def _resized(options: EvolutionStrategiesOptions, cells: int) -> Work:
    """Return that of dividing the estimate by the sizes, and of changing them."""
    return work.elementwise(cells, operations=4, operands=3, results=2) if options.form == "pepg" else Work()


def _ranked(options: EvolutionStrategiesOptions) -> Work:
    """Return that of the ranks of a population, or of the mean and spread of its losses."""
    losses = 2 * options.pairs
    operations = math.ceil(math.log2(losses)) if options.form == "ranks" else 4
    return work.elementwise(losses, operations=operations, operands=1)
