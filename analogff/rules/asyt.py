"""AsyT: asymmetrical training, in which a chip shows its output alone and a model beside it supplies the rest."""

from typing import Annotated

from pydantic import Field
from typing_extensions import override

from analogff.device import Observable, derive_seed
from analogff.learning import flows, step_work
from analogff.learning.backward import BesideTwin, carry_back
from analogff.learning.head import cross_entropy_of_chips, softmax_error
from analogff.learning.rule import Rule, RuleOptions
from analogff.learning.search_space import Uniform
from analogff.network import logit_scale
from analogff.network.beliefs import Belief
from analogff.network.twin import Twin, believed, recording_work, response_work
from analogff.system import Work, work
from analogff.timeline import Dataflow, Job, Pass, Phase, Visit
from analogff.timing import UpdateAfterPass


class AsyTOptions(RuleOptions):
    """Options of AsyT."""

    learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.001
    """Learning rate, before its decay."""
    believes: Belief = "datasheet"
    """The curve that the model believes neurons to have: the printed one, or another, right or wrong."""
    believed_steepness: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Factor on the sums in the believed curve, to study a wrong one; 1 for the curve as it is."""
    believed_offset: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    """Shift of the sums in the believed curve, before that factor; a sum is typically 1."""


class AsyT(Rule[AsyTOptions]):
    r"""Backprop of a chip's error through a model that runs beside it.

    .. math:: \tilde x_{l+1} = N(\tilde f(\tilde W_l \tilde x_l)), \qquad
              \delta_L = \mathrm{softmax}(z) - t, \qquad
              \delta_l = \tilde f'_l \circ N_l^T \tilde W_{l+1}^T \delta_{l+1}, \qquad
              \Delta W_l \propto -\delta_l \tilde x_l^T

    The logits ``z`` are read from the chip. Everything with a tilde is the model's: inputs of the layers as well as
    slopes and weights. Physics-aware training (`backprop`) takes the inputs from the chip, and so must read all
    layers; training in a model takes ``z`` from the model, too. What goes on between the layers of the chip is seen by
    nobody, so read noise enters through the error alone.

    The ledger books conversions of all layers, as for any rule, since a network normalizes digitally between them. A
    chip that stays analog from end to end converts only at its ends.

    Args:
        network: Sealed at TWIN (`believes` the datasheet), or at OUTPUT with another curve.
        options: See `AsyTOptions`.
        seed: Draws the weights to begin with, which are programmed.

    Reference:
        Wang et al., Asymmetrical estimator for training encapsulated deep photonic neural networks (Nature
        Communications 16, 2025, s41467-025-57459-5), figure 1c.
    """

    name = "asyt"
    Options = AsyTOptions
    descends = "output"

    state_names = ("models",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.models: list[BesideTwin] = []
        for n, optimizer in enumerate(self.optimizers):
            steepness, offset = options.believed_steepness, options.believed_offset
            curve = believed(optimizer.layer, options.believes, steepness=steepness, offset=offset)
            twin = Twin(optimizer.layer, derive_seed(seed, "weights", n), curve)
            self.models.append(BesideTwin(optimizer.layer, twin))

    @classmethod
    @override
    def needs(cls, options):
        return Observable.TWIN if options.believes == "datasheet" else Observable.OUTPUT

    @classmethod
    @override
    def programs(cls, options):
        return True

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
        parts = [step_work.passing(shapes, batch).times(2), work.softmax_error(batch, shapes[-1][1])]
        for n, (n_in, n_out) in enumerate(shapes):
            parts += [response_work(batch, n_in, n_out), work.modulation(batch * n_out), recording_work(n_in * n_out)]
            parts.append(step_work.descent(options, (n_in, n_out), batch))
            if n > 0:
                parts += [work.product(batch, n_out, n_in), work.normalization_backward(batch, n_in)]
        return work.total(parts)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        error = flows.jobs(batch, softmax_error=work.softmax_error(batch, shapes[-1][1]))
        chip = Pass(name="chip", visits=flows.forward([n_in for n_in, _ in shapes], error))
        beside, behind = [], []
        for n, shape in enumerate(shapes):
            known = flows.jobs(batch, twin=response_work(batch, *shape))
            recorded = flows.jobs(batch, twin=recording_work(shape[0] * shape[1]))
            kept = {"kept_bytes": step_work.activities(shape, 1), "kept_until": "errors"}
            beside.append(Visit(layer=n, before=flows.normalizing(shape[0]), then=known, **kept))
            normalized = work.normalization_backward(1, shape[1]) if n < len(shapes) - 1 else Work()
            behind.append(
                Visit(
                    layer=n,
                    before=flows.jobs(1, normalization=normalized, error=work.modulation(shape[1])),
                    back=Job("errors back", work.product(batch, shape[1], shape[0]).times(1 / batch)) if n else None,
                    after=(*flows.descending(shape, batch), *recorded),
                )
            )
        model = Pass(name="model", visits=tuple(beside))
        errors = Pass(name="errors", visits=tuple(reversed(behind)), awaits=("chip", "model"))
        updates = flows.updates(options, dict(enumerate(shapes)))
        return [Dataflow(batch=batch, phases=(Phase(passes=(chip, model, errors), updates=updates),))]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, the model's activities of all layers, and its weights."""
        activities = sum(step_work.activities(shape, batch) for shape in shapes)
        return step_work.registers(options, shapes) + activities + step_work.weights(shapes)

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"decay_from": Uniform(0.0, 1.0)}

    @override
    def step(self, images, labels):
        logits = self.network.output(images)
        x = self.network.present(images)
        modeled = list(self.network.forward(x, [model.respond for model in self.models]))
        self.network.head.compute(*work.softmax_error(*logits.shape[-2:]))
        error = softmax_error(logits, labels) * logit_scale(self.network.head)
        carry_back(self.network, modeled, self.models, self.optimizers, error)
        return cross_entropy_of_chips(logits, labels)
