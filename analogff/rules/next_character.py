"""Forward-Forward on strings: hidden layers that tell real text from the network's own."""

from typing import Annotated, Literal

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.device import Observable, SharedInputs
from analogff.forward_forward.goodness import GOODNESS
from analogff.forward_forward.goodness_objective import GoodnessObjective
from analogff.forward_forward.labels import variants
from analogff.forward_forward.losses import LOSSES
from analogff.forward_forward.negatives import hard_labels
from analogff.forward_forward.sequences import draw, push, roll_out
from analogff.learning.batch import Batch
from analogff.learning.head import cross_entropy_of_chips
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.rule import refuse_idle
from analogff.network import chain


class NextCharacterOptions(LayerLocalOptions):
    """Options of Forward-Forward on strings."""

    negatives: Literal["teacher-forcing", "roll-out", "none"] = "teacher-forcing"
    """Real windows whose last character is the network's own, windows of its own text, or none (untrained layers)."""
    loss: Literal["hinton", "symba", "swish"] = "swish"
    """How positive and negative goodness are compared."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 12.0
    """Factor on the goodness (a mean of squares) in the loss."""
    theta: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """Threshold of loss `hinton`."""
    head_learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the softmax readout."""

    @field_validator("loss", "scale")
    @classmethod
    def _layers_learn(cls, value, info):
        if info.data.get("negatives") == "none" and value != cls.model_fields[info.field_name].default:
            raise ValueError(f'other negatives than "none" beside it, with which {info.field_name} does nothing')
        return value

    @field_validator("theta")
    @classmethod
    def _theta_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="loss", used_by="hinton")


class NextCharacter(LayerLocal[NextCharacterOptions, GoodnessObjective]):
    r"""A readout that predicts the next character from layers that learn which windows are real.

    A window is a vector of one-hot lines, newest character first; see `analogff.forward_forward.sequences`. A step
    takes windows and the characters that follow them. The readout receives the normalized activities of all hidden
    layers
    and learns by its own error. The layers then see the windows one character on: as they are, and with what the
    network believed instead (never the true character), or the windows of its own text, which it writes in `sleep`.

    It is not registered as a rule of study files, whose data sets are images; experiments/sequences drives it.

    Args:
        network: Sealed at ACTIVITY (slope assumed, or no negatives), PROBE or ORACLE; its head as `layer_shapes` says.
        options: See `NextCharacterOptions`.
        seed: Draws the network's own characters.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 3.5.
    """

    name = "next-character"
    Options = NextCharacterOptions

    state_names = ("dreams",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        loss = LOSSES[options.loss]
        self.objectives = [
            GoodnessObjective(measure=GOODNESS["mean"], loss=loss, scale=options.scale, theta=options.theta)
            for _ in network.layers
        ]
        self.head = self.delta_head(options.head_learning_rate)
        self.dreams: torch.Tensor | None = None

    @classmethod
    @override
    def needs(cls, options):
        return Observable.ACTIVITY if options.negatives == "none" else super().needs(options)

    @classmethod
    def layer_shapes(cls, options, n_in, widths, classes):
        """Return inputs and outputs of every layer: the readout receives all hidden ones."""
        return [*chain([n_in, *widths], classes)[:-1], (sum(widths), classes)]

    def step(self, images, labels):
        """Learn from windows, ``(batch, n_in)``, and the characters that follow them, ``(batch,)``.

        Returns:
            The readout's cross-entropy, ``(chips,)``, in nats, before the update.
        """
        logits = self.head.learn(self._heard(images), labels)
        if self.options.negatives == "teacher-forcing":
            wrong = hard_labels(logits, labels, self.generator)
            both = torch.stack([labels.expand_as(wrong), wrong], dim=-2)
            onward = push(images, labels, self.network.classes)
            self._tell_apart(self.network.present_shared(variants(onward, both, self.network.classes)))
        elif self.options.negatives == "roll-out":
            real = push(images, labels, self.network.classes).expand(self.network.chips, -1, -1)
            self._tell_apart(self.network.present(torch.cat([real, self._dreamt(len(labels))], dim=1)))
        return cross_entropy_of_chips(logits, labels)

    def sleep(self, beginnings: torch.Tensor, characters: int) -> None:
        """Let every chip write on from these windows, ``(strings, n_in)``: the negatives of the steps that follow."""
        self.dreams = roll_out(
            lambda lines: draw(self.logits(lines), self.generator), beginnings, characters, self.network.classes
        )

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Read the beliefs about the next character, ``(chips, batch, classes)``."""
        return self.network.logits(self.network.head.measure(self._heard(images)))

    @override
    def predict(self, images):
        return self.logits(images).argmax(-1)

    @override
    def scores(self, images):
        return self.logits(images)

    def _tell_apart(self, x: torch.Tensor | SharedInputs) -> None:
        """Let every layer learn from real windows, the first half, against the network's own."""
        self.descend(self.forward(x, Batch()), Batch())

    def _heard(self, images: torch.Tensor) -> torch.Tensor:
        """Return the inputs of the readout, ``(chips, batch, sum of widths)``."""
        passes = self.network.forward(self.network.present(images))
        return torch.cat([self.network.onward(passed) for passed in passes], dim=-1)

    def _dreamt(self, batch: int) -> torch.Tensor:
        """Draw windows of the networks' own text, from the same places for all chips."""
        if self.dreams is None:
            raise ValueError("Expected a network that has slept. Got a step before sleep. Call sleep(beginnings, n).")
        some = torch.randint(self.dreams.shape[1], (batch,), generator=self.generator)
        return self.dreams[:, some.to(self.dreams.device)]
