"""Forward-Forward with top-down input: an image as a boring video."""

import torch
from typing_extensions import override

from analogff.device import SharedInputs
from analogff.forward_forward.digital_work import damping_work, votes_work
from analogff.forward_forward.goodness import GOODNESS, MeanSquare, mean_square
from analogff.forward_forward.goodness_objective import GoodnessObjective, judging_work
from analogff.forward_forward.labels import drawn_labels
from analogff.forward_forward.losses import LOSSES
from analogff.forward_forward.negatives import hard_labels, random_labels
from analogff.forward_forward.one_sided_losses import ONE_SIDED_LOSSES
from analogff.forward_forward.recurrent_costs import recurrent_dataflow, recurrent_work
from analogff.forward_forward.recurrent_options import RecurrentForwardForwardOptions, first_to_learn
from analogff.learning.batch import Batch
from analogff.learning.layer_local import LayerLocal, mean_loss
from analogff.learning.passes import side_by_side
from analogff.learning.search_space import LogUniform
from analogff.slopes.slopes import Assumed, Reading
from analogff.system import WORD_BYTES, work

ROWS_AT_ONCE = 1000
"""Input vectors of one read when labels are tried, so that activities stay near the processor."""


class RecurrentForwardForward(LayerLocal[RecurrentForwardForwardOptions, GoodnessObjective]):
    r"""Layers that each receive the layers below and above, and learn from the goodness of their own states.

    .. math:: s_l^{(t)} = d\, s_l^{(t-1)} + (1 - d)\, f\!\left(W_l [\hat s_{l+1}^{(t-1)}, \hat s_{l-1}^{(t-1)}]\right)

    with :math:`\hat s_0` the image, :math:`\hat s_{L+1}` the one-hot label, and hats for the network's normalization.
    All layers are updated synchronously. States begin with a bottom-up pass without labels and with zero lines from
    above, so it is read once for all labels. States and damping are digital: a chip has no memory here. A layer learns
    at every iteration from ``G = mean(s_l^2)`` under the true and under a wrong label, with the old states as
    constants:

    .. math:: \frac{\partial G}{\partial W_{ji}} = \frac{2 (1 - d)}{n}\, s_j f'(a_j) x_i

    A label descends one layer at each iteration, so it reaches layer ``l`` of ``L`` at iteration ``L - l + 1``. Until
    then both states of the layer are equal, and the gradient of a pair loss is noise: the layer is read, but neither
    probed nor written. The loss ``hinton`` moves it to the threshold meanwhile.

    A prediction sums the goodness of all layers over the iterations `vote_from` to `vote_to`, for each label. The lines
    from above are first in ``x``, so the image is multiplied once for all labels.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle), wired as `layer_shapes` says.
        options: See `RecurrentForwardForwardOptions`.
        seed: Draws the negatives.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 3.4.
    """

    name = "recurrent-forward-forward"
    Options = RecurrentForwardForwardOptions

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        loss = LOSSES[options.loss]
        self.objectives = [
            GoodnessObjective(measure=GOODNESS["mean"], loss=loss, scale=options.scale, theta=options.theta)
            for _ in network.layers
        ]
        self.head = self.delta_head(options.head_learning_rate)

    @classmethod
    @override
    def uses_head(cls, options):
        return options.negatives == "hard"

    @classmethod
    def layer_shapes(cls, options, n_in, widths, classes):
        """Return inputs and outputs of every layer: each receives the layers above and below.

        Raises:
            ValueError: If there are layers that no label reaches.
        """
        if options.loss not in ONE_SIDED_LOSSES and options.iterations < len(widths):
            raise ValueError(
                f"Expected at least as many iterations as layers, {len(widths)}, beside loss = {options.loss!r}: a "
                f"label comes down by a layer an iteration. Got {options.iterations}. Set rule.iterations higher."
            )
        above, below = [*widths[1:], classes], [n_in, *widths[:-1]]
        layers = [(up + down, width) for up, down, width in zip(above, below, widths, strict=True)]
        return [*layers, (widths[-1], classes)]

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        return recurrent_work(cls, options, shapes, batch)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        return [recurrent_dataflow(cls, options, shapes, batch)]

    @classmethod
    @override
    def objective_work(cls, options, vectors, n, classes):
        return judging_work(MeanSquare.operations, vectors, n)

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers and activities, with the states of all layers."""
        return super().kept_bytes(options, shapes, 2 * batch) + sum(WORD_BYTES * 2 * batch * n for _, n in shapes[:-1])

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
        return super().search_space(options) | {"scale": LogUniform(3.0, 48.0)}

    @override
    def step(self, images, labels):
        image = self.network.present(images)
        resting = self._bottom_up(image)
        taught, labels = labels, drawn_labels(labels, self.generator)
        wrong = self._wrong_labels(resting[-1], labels, taught)
        label = self._shown(torch.stack([labels.expand_as(wrong), wrong], dim=-2))
        states = [state.unsqueeze(1).expand(-1, 2, -1, -1) for state in resting]
        losses = []
        for iteration in range(1, self.options.iterations + 1):
            self.pass_over(len(images) if iteration == 1 else 1)
            inputs = self._inputs(states, image, label)
            if iteration < self.options.learn_from:
                states, _ = self._advance(states, inputs)
                continue
            states, loss = self._learn(states, inputs, first_to_learn(self.options, len(self.objectives), iteration))
            losses.append(loss)
        return mean_loss(losses)

    @override
    def predict(self, images):
        return self._votes(images).sum(0).argmax(1)

    @override
    def scores(self, images):
        return self._votes(images).sum(0).mT

    @override
    def answers_by_layer(self, images):
        return self._votes(images).argmax(2)

    @override
    def goodness(self, images, labels):
        iterations = self.options.vote_to - self.options.vote_from + 1
        return [summed[:, 0] / iterations for summed in self._goodness(images, labels[None])]

    def _votes(self, images: torch.Tensor) -> torch.Tensor:
        """Return the summed goodness of every label, ``(layers, chips, classes, batch)``."""
        classes = self.network.classes
        every = torch.arange(classes, device=images.device)[:, None]
        at_once = images.split(max(1, ROWS_AT_ONCE // classes))
        return torch.cat([torch.stack(self._goodness(some, every.expand(-1, len(some)))) for some in at_once], dim=-1)

    def _goodness(self, images: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
        """Return each layer's goodness, summed over the iterations that vote, ``(chips, variants, batch)``.

        Shapes:
            ``labels``: ``(variants, batch)``.
        """
        image, label = self.network.present(images), self._shown(labels)
        states = [state.unsqueeze(1).expand(-1, len(labels), -1, -1) for state in self._bottom_up(image)]
        votes: list[list[torch.Tensor]] = []
        for iteration in range(1, self.options.vote_to + 1):
            states, _ = self._advance(states, self._inputs(states, image, label))
            if iteration >= self.options.vote_from:
                votes.append([self._voted(layer, state) for layer, state in enumerate(states)])
        return [torch.stack(of_layer).sum(0) for of_layer in zip(*votes, strict=True)]

    def _voted(self, layer: int, state: torch.Tensor) -> torch.Tensor:
        self.network.layers[layer].compute(*votes_work(*state[0].flatten(0, 1).shape))
        return mean_square(state)

    def _bottom_up(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the states that all begin with, ``(chips, batch, width)``: one pass, and silence from above."""
        lines = [layer.datasheet.n_in for layer in self.network.layers]
        passes = self.network.forward(
            _silent_above(x, lines[0]),
            onward=lambda passed: _silent_above(self.network.onward(passed), lines[passed.layer + 1]),
        )
        return [passed.y for passed in passes]

    def _shown(self, labels: torch.Tensor) -> torch.Tensor:
        """Return the label signals of the top layer, ``(chips, variants, batch, classes)``."""
        one_hot = torch.nn.functional.one_hot(labels, self.network.classes).to(torch.float32)
        return self.network.normalizer.forward(one_hot).expand(self.network.chips, *one_hot.shape[-3:])

    def _inputs(
        self, states: list[torch.Tensor], image: torch.Tensor, label: torch.Tensor
    ) -> list[torch.Tensor | SharedInputs]:
        """Return the next inputs of each layer: first from above, then from below.

        Shapes:
            ``states``: ``(chips, variants, batch, width)`` each; inputs: ``(chips, variants batch, n_in)``.
        """
        layers = self.network.layers
        signals = [self.network.normalized(state, layer=n, beside=layers[n]) for n, state in enumerate(states)]
        above, below = [*signals[1:], label], signals[:-1]
        shared = _silent_above(image, above[0].shape[-1] + image.shape[-1])
        rest = [torch.cat(pair, dim=-1).flatten(1, 2) for pair in zip(above[1:], below, strict=True)]
        return [SharedInputs(shared, above[0]), *rest]

    def _advance(
        self, states: list[torch.Tensor], inputs: list[torch.Tensor | SharedInputs], first: int | None = None
    ) -> tuple[list[torch.Tensor], list[Reading]]:
        """Read every layer, from the first to learn on with its slopes; return the new states, and the readings."""
        slopes = [Assumed() if first is None or n < first else slope for n, slope in enumerate(self.slopes)]
        readings = side_by_side(self.network.layers, slopes, inputs, self.between_passes)
        new = [self._damp(n, state, r.y) for n, (state, r) in enumerate(zip(states, readings, strict=True))]
        return new, readings

    def _damp(self, layer: int, state: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the new state of a layer, in the shape of the old one."""
        self.network.layers[layer].compute(*damping_work(state[0].numel()))
        return self.options.damping * state + (1 - self.options.damping) * y.view(state.shape)

    def _learn(
        self, states: list[torch.Tensor], inputs: list[torch.Tensor | SharedInputs], first: int
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        """As `_advance`, and take layers from the first to learn one step down their losses; returns the mean too."""
        (new, readings), losses = self._advance(states, inputs, first), []
        for n, (reading, x) in list(enumerate(zip(readings, inputs, strict=True)))[first:]:
            both = new[n].flatten(1, 2)  # the states under the true labels, then those under the wrong ones
            self.network.layers[n].compute(*self.objectives[n].work(*both.shape[1:]))
            loss, gradient = self.objectives[n].judge(both, mean_square(both), Batch())
            self.network.layers[n].compute(*work.modulation(gradient[0].numel()))
            errors = reading.back(gradient.mul_(1 - self.options.damping))
            self.change(n, errors, x)
            losses.append(loss)
        return new, mean_loss(losses)

    def _wrong_labels(self, top: torch.Tensor, labels: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
        """Draw the negatives, and train the head by labels as taught, on the bottom-up pass, where it draws them."""
        if self.options.negatives == "random":
            return random_labels(labels, self.network.classes, self.generator)
        last = len(self.network.layers) - 1
        logits = self.head.learn(self.network.normalized(top, layer=last, beside=self.network.head), taught)
        self.network.head.compute(*work.hard_negatives(len(labels), self.network.classes))
        return hard_labels(logits, labels, self.generator)


def _silent_above(x: torch.Tensor, n_in: int) -> torch.Tensor:
    """Put zeros before a signal from below, up to as many lines as a layer has."""
    return torch.nn.functional.pad(x, (n_in - x.shape[-1], 0))
