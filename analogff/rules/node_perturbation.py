"""Node perturbation: learning from how the output's loss answers to noise at the neurons."""

import functools
from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.device import Observable, Sealed, whole
from analogff.learning import step_work, two_sided
from analogff.learning.decorrelation import Decorrelation
from analogff.learning.head import cross_entropy_of_images
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.layer_objective import LayerObjective
from analogff.learning.search_space import LogUniform
from analogff.network.forward import Passed
from analogff.slopes.slopes import Assumed
from analogff.system import work
from analogff.timing import UpdateAfterPass

Back = Callable[[torch.Tensor], torch.Tensor]
"""From the derivative by a layer's activity to that by its weighted sums."""


class NodePerturbationOptions(LayerLocalOptions):
    """Options of node perturbation."""

    unseen: ClassVar[tuple[str, ...]] = ()  # the bias port is in use whatever the slope is

    estimate: Literal["injected", "activity"] = Field(default="injected", validate_default=True)
    """What the loss is correlated with: the injected noise (classic), which needs no slope, or the measured difference
    of the activities (activity-based), times the slope of each neuron."""
    slope: Literal["assumed", "probed", "fitted", "oracle", "one"] = "assumed"  # type: ignore[assignment]
    """Where the slope of a neuron comes from, for estimate `activity`: as in every rule, or `one` everywhere."""
    directions: Annotated[int, Field(ge=1)] = 3
    """Random directions averaged in a step; each costs two reads an image and layer."""
    size: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.1
    """Standard deviation of the noise injected at the summing nodes; 0 leaves it to the chip's own noise."""
    decorrelation: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Learning rate of a digital matrix in front of each layer that decorrelates its inputs; 0 for none."""

    @field_validator("estimate")
    @classmethod
    def _slope_is_used(cls, value, info):
        if value == "injected" and info.data.get("slope") not in ("assumed", None):
            raise ValueError('"activity" beside a slope, which the injected noise does without')
        return value

    @field_validator("size")
    @classmethod
    def _noise_is_known(cls, value, info):
        if value == 0 and info.data.get("estimate") == "injected":
            raise ValueError('more than 0 beside estimate = "injected", which must know the noise')
        return value


class _Side(NamedTuple):
    """One noisy pass: inputs and activities of each layer, the head last, and the loss of each image."""

    x: list[torch.Tensor]
    y: list[torch.Tensor]
    loss: torch.Tensor


class NodePerturbation(LayerLocal[NodePerturbationOptions, LayerObjective]):
    r"""Layers that learn from two noisy passes and the difference of their losses.

    .. math:: \Delta W_l \propto -\sum_b \frac{L_b^+ - L_b^-}{2} \frac{\xi_{lb}}{\sigma^2}\, x_{lb}^T \quad
              \text{(injected)}, \qquad
              \Delta W_l \propto -\sum_b \frac{L_b^+ - L_b^-}{2} \frac{N}{\sum_k |\delta_{kb}|^2}
              \left(\delta_{lb} \circ f'(a_{lb})\right) x_{lb}^T \quad \text{(activity)}

    with :math:`\xi \sim \mathcal N(0, \sigma^2)` added at every summing node in one pass and taken away in the other,
    :math:`\delta = (y^+ - y^-) / 2` as measured, ``N`` neurons in all, the head's included, and the mean over
    ``directions``. Both passes are reads, each with the chip's own noise. All layers are perturbed at once. The
    variance grows with the number of neurons, and not of weights.

    Args:
        network: Sealed at PROBE, at ORACLE for its slopes, or at ACTIVITY where nothing is injected or probed.
        options: See `NodePerturbationOptions`.
        seed: Draws the noise, the same for all chips.

    Reference:
        Injected: Williams, Machine Learning 8 (1992); two-sided as in Spall (1992). Activity and decorrelation: Dalm
        et al. (arXiv 2310.00965), equations 6 and 9; theirs is one-sided, and its difference is of weighted sums,
        which a chip does not show.
    """

    name = "node-perturbation"
    Options = NodePerturbationOptions
    descends = "output"
    convolves = True

    state_names = ("decorrelations",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        every = (*network.layers, network.head)
        sizes = [layer.datasheet.n_in for layer in every] if options.decorrelation else []
        device = network.head.torch_device
        self.decorrelations = [Decorrelation(network.chips, n, options.decorrelation, device) for n in sizes]
        self.neurons = sum(layer.datasheet.n_out for layer in every)

    @classmethod
    @override
    def needs(cls, options):
        probed = Observable.PROBE if options.size else Observable.ACTIVITY
        return max(probed, super().needs(options))

    @classmethod
    @override
    def schedule(cls, options):
        return UpdateAfterPass()

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        passing = step_work.passing(shapes, batch)
        vectors, measured = options.directions * batch, options.estimate == "activity"
        if options.decorrelation:
            passing += work.total(Decorrelation.work(batch, n_in) for n_in, _ in shapes)
        direction = (passing + work.cross_entropy(batch, shapes[-1][1])).times(2)
        for n_in, n_out in shapes:
            direction += two_sided.noise_work(options, batch * n_out) + two_sided.error_work(options, batch * n_out)
            direction += work.difference(batch * n_in)
        parts = [direction.times(options.directions)]
        parts += [step_work.descent(options, shape, vectors) for shape in shapes]
        if options.decorrelation:
            parts += [Decorrelation.learning_work(vectors, n_in) for n_in, _ in shapes]
        if measured:
            parts += [passing, *(step_work.reading(options.slope, options.activity, batch, n) for _, n in shapes[:-1])]
        return work.total(parts)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        return [two_sided.dataflow(options, shapes, batch)]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, inputs and errors of all directions and layers, two passes, and decorrelating matrices."""
        kept = sum(step_work.activities(shape, (options.directions + 2) * batch) for shape in shapes)
        matrices = step_work.weights([(n, n) for n, _ in shapes]) if options.decorrelation else 0
        return step_work.registers(options, shapes) + kept + matrices

    @classmethod
    @override
    def pass_clocks(cls, options):
        return "pass", "interleaved"

    @classmethod
    @override
    def learns_soft_labels(cls, options):
        return True

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"size": LogUniform(0.01, 1.0)}

    @override
    def step(self, images, labels):
        slopes = self._slopes(images)
        losses = []
        errors: list[torch.Tensor] = []
        inputs: list[torch.Tensor] = []
        for direction in range(self.options.directions):
            if direction or slopes:
                self.pass_over(len(images))
            noise = [self._noise(len(images), optimizer.layer) for optimizer in self.optimizers]
            up = self._side(images, labels, noise)
            self.pass_over(len(images))
            down = self._side(images, labels, [None if xi is None else -xi for xi in noise])
            losses.append((up.loss + down.loss).mean(-1) / 2)
            found = self._errors(up, down, noise, slopes)
            errors = found if not errors else [torch.cat(pair, dim=1) for pair in zip(errors, found, strict=True)]
            for optimizer, x in zip(self.optimizers, up.x, strict=True):
                optimizer.layer.compute(*work.difference(x[0].numel()))  # as much as their mean
            middle = [(a + b) / 2 for a, b in zip(up.x, down.x, strict=True)]
            inputs = middle if not inputs else [torch.cat(pair, dim=1) for pair in zip(inputs, middle, strict=True)]
        for n, (error, x) in enumerate(zip(errors, inputs, strict=True)):
            self._descend(n, error / (len(images) * self.options.directions), x)
        return torch.stack(losses).mean(0)

    @override
    def predict(self, images):
        if not self.decorrelations:
            return super().predict(images)
        return self.scores(images).argmax(-1)

    @override
    def scores(self, images):
        if not self.decorrelations:
            return super().scores(images)
        return self._side(images, None, [None] * len(self.optimizers)).y[-1]

    def _descend(self, layer: int, errors: torch.Tensor, x: torch.Tensor) -> None:
        if layer < len(self.network.layers):
            self.change(layer, errors, x)
        else:
            self.optimizers[layer].descend(errors, x)
        if self.decorrelations:
            self.optimizers[layer].layer.compute(*Decorrelation.learning_work(*x.shape[1:]))
            self.decorrelations[layer].learn(x)

    def _errors(
        self, up: _Side, down: _Side, noise: Sequence[torch.Tensor | None], slopes: list[Back]
    ) -> list[torch.Tensor]:
        """Return the estimate of the derivative of each image's loss by the weighted sums of each layer."""
        for optimizer, y in zip(self.optimizers, up.y, strict=True):
            optimizer.layer.compute(*two_sided.error_work(self.options, y[0].numel()))
        difference = ((up.loss - down.loss) / 2).unsqueeze(-1)
        if self.options.estimate == "injected":
            return [difference * xi / self.options.size**2 for xi in noise if xi is not None]
        measured = [(a - b) / 2 for a, b in zip(up.y, down.y, strict=True)]
        size = torch.stack([delta.square().sum(-1, keepdim=True) for delta in measured]).sum(0)
        factor = self.neurons * difference / size.clamp(min=1e-12)
        return [slope(factor * delta) for slope, delta in zip(slopes, measured, strict=True)]

    def _slopes(self, images: torch.Tensor) -> list[Back]:
        """Read the slope of every neuron, and return how each layer turns a derivative by activity into one by sums."""
        if self.options.estimate == "injected":
            return []
        digital = self.network.head.datasheet.all_digital
        slopes = [*self.slopes, Assumed() if digital else self.head_slope]
        reads = [functools.partial(s.read, o.layer) for s, o in zip(slopes, self.optimizers, strict=True)]
        passed = self.network.forward(self._first(images), reads, self._onward)
        backs: list[Back] = [layer.reading.back for layer in passed]
        return [*backs[:-1], _unchanged] if digital else backs

    def _side(self, images: torch.Tensor, labels: torch.Tensor | None, noise: Sequence[torch.Tensor | None]) -> _Side:
        reads = [functools.partial(o.layer.measure, bias=xi) for o, xi in zip(self.optimizers, noise, strict=True)]
        passed = list(self.network.forward(self._first(images), reads, self._onward))
        logits = self.network.logits(passed[-1].y)
        if labels is not None:
            self.network.head.compute(*work.cross_entropy(*logits.shape[-2:]))
        loss = logits.new_zeros(logits.shape[:-1]) if labels is None else cross_entropy_of_images(logits, labels)
        return _Side([whole(layer.x) for layer in passed], [layer.y for layer in passed], loss)

    def _first(self, images: torch.Tensor) -> torch.Tensor:
        return self._decorrelated(0, self.network.present(images))

    def _onward(self, passed: Passed) -> torch.Tensor:
        return self._decorrelated(passed.layer + 1, self.network.onward(passed))

    def _decorrelated(self, layer: int, x: torch.Tensor) -> torch.Tensor:
        if not self.decorrelations:
            return x
        self.optimizers[layer].layer.compute(*Decorrelation.work(*x.shape[1:]))
        return self.decorrelations[layer].of(x)

    def _noise(self, batch: int, layer: Sealed) -> torch.Tensor | None:
        """Draw what is injected into a layer, ``(batch, n_out)``; None where the chip's own noise has to do."""
        if not self.options.size:
            return None
        layer.compute(*two_sided.noise_work(self.options, batch * layer.datasheet.n_out))
        drawn = torch.randn(batch, layer.datasheet.n_out, generator=self.generator)
        return self.options.size * drawn.to(layer.torch_device)


def _unchanged(gradient: torch.Tensor) -> torch.Tensor:
    return gradient
