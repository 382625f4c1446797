"""Direct feedback alignment: the output's error reaches each layer through a fixed random matrix."""

import functools
from typing import Literal

import torch
from typing_extensions import override

from analogff.device import derive_seed, product
from analogff.learning import flows, step_work
from analogff.learning.head import cross_entropy_of_chips, softmax_error
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.layer_objective import LayerObjective
from analogff.learning.search_space import Uniform
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Phase, Visit
from analogff.timing import UpdateAfterPass


class DirectFeedbackAlignmentOptions(LayerLocalOptions):
    """Options of direct feedback alignment."""

    slope: Literal["assumed", "probed", "fitted", "oracle", "one", "cosine"] = "probed"  # type: ignore[assignment]
    """Where the slope of a neuron comes from: as in every rule, or a stand-in (augmented direct feedback alignment):
    `one` everywhere, or the `cosine` of the activity."""


class DirectFeedbackAlignment(LayerLocal[DirectFeedbackAlignmentOptions, LayerObjective]):
    r"""Layers that descend the output's error as fixed random matrices hand it down.

    .. math:: \Delta W_l \propto -\sum_b \left[(B_l e_b) \circ f'(a_{lb})\right] x_{lb}^T, \qquad
              e = \mathrm{softmax}(z) - t, \qquad B_l \sim \mathcal N(0, 1/K)

    for ``K`` classes. The head learns by its own error. One forward pass a step, no weights of any other layer, no
    sequence of layers on the way back: the broadcast costs ``K n`` multiply-accumulates a layer and image.

    Args:
        network: Sealed at ACTIVITY (slope assumed, one, cosine), PROBE (probed, fitted) or ORACLE (oracle).
        options: See `DirectFeedbackAlignmentOptions`.
        seed: Draws the feedback, the same for all chips.

    Reference:
        Nøkland, Direct feedback alignment provides learning in deep neural networks (arXiv 1609.01596), equation 8.
        Augmented: Nakajima et al., Nature Communications 13, 7847 (2022), ``g`` in place of ``f'``.
    """

    name = "direct-feedback-alignment"
    Options = DirectFeedbackAlignmentOptions
    descends = "output"
    convolves = True

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.feedback = [
            _feedback(layer.datasheet.n_out, network.classes, derive_seed(seed, "feedback", n)).to(layer.torch_device)
            for n, layer in enumerate(network.layers)
        ]
        self.delta = self.delta_head(options.learning_rate)

    @classmethod
    @override
    def learns_soft_labels(cls, options):
        return True

    @classmethod
    @override
    def schedule(cls, options):
        return UpdateAfterPass()

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        *hidden, (_, classes) = shapes
        parts = [step_work.passing(shapes, batch), step_work.delta_head(options, shapes[-1], batch)]
        for shape in hidden:
            parts.append(step_work.reading(options.slope, options.activity, batch, shape[1]))
            parts += [_handing_work(batch, shape[1], classes), step_work.descent(options, shape, batch)]
        return work.total(parts)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        *hidden, (_, classes) = shapes
        ahead, behind = [], []
        for n, shape in enumerate(hidden):
            slopes = step_work.reading(options.slope, options.activity, batch, shape[1])
            kept = {"kept_bytes": step_work.activities(shape, 1), "kept_until": f"broadcast {n + 1}"}
            reads = flows.reads(options.slope, options.activity)
            after = flows.jobs(batch, slopes=slopes)
            ahead.append(Visit(layer=n, before=flows.normalizing(shape[0]), reads=reads, after=after, **kept))
            handed = flows.jobs(batch, broadcast=_handing_work(batch, shape[1], classes))
            behind.append(Visit(layer=n, before=handed, after=flows.descending(shape, batch)))
        forward = Pass(name="forward", visits=(*ahead, flows.delta_head(shapes, batch)))
        passes = (forward, *flows.apart("broadcast", behind, "forward"))
        updates = flows.updates(options, dict(enumerate(shapes)))
        return [Dataflow(batch=batch, phases=(Phase(passes=passes, updates=updates),))]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, the activities of all layers, which wait for the error, and the feedback."""
        activities = sum(step_work.activities(shape, batch) for shape in shapes)
        feedback = step_work.weights([(n, shapes[-1][1]) for _, n in shapes[:-1]])
        return step_work.registers(options, shapes) + activities + feedback

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"decay_from": Uniform(0.0, 1.0)}

    @override
    def step(self, images, labels):
        reads = [functools.partial(s.read, layer) for s, layer in zip(self.slopes, self.network.layers, strict=True)]
        passed = list(self.network.forward(self.network.present(images), reads))
        logits = self.delta.learn(self.network.onward(passed[-1]), labels)
        error = softmax_error(logits, labels)
        for layer in passed:
            chip, vectors = self.network.layers[layer.layer], len(images)
            chip.compute(*_handing_work(vectors, layer.y.shape[2], self.network.classes))
            handed_down = product(error, self.feedback[layer.layer].expand(self.network.chips, -1, -1))
            self.change(layer.layer, layer.reading.back(handed_down), layer.x)
        return cross_entropy_of_chips(logits, labels)


def _handing_work(vectors: int, n: int, classes: int) -> Work:
    """Return the digital work of an error that is handed down to a layer and meets its slopes."""
    return work.product(vectors, classes, n) + work.modulation(vectors * n)


def _feedback(width: int, classes: int, seed: int) -> torch.Tensor:
    """Return what hands an error down to a layer, ``(width, classes)``."""
    return torch.randn(width, classes, generator=torch.Generator().manual_seed(seed)) / classes**0.5
