"""Options of Forward-Forward with top-down input."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from analogff.forward_forward.one_sided_losses import ONE_SIDED_LOSSES
from analogff.learning.layer_local import LayerLocalOptions
from analogff.learning.rule import refuse_idle

Iteration = Annotated[int, Field(ge=1)]


class RecurrentForwardForwardOptions(LayerLocalOptions):
    """Options of recurrent Forward-Forward."""

    loss: Literal["hinton", "symba", "swish"] = "swish"
    """Loss that compares positive and negative goodness."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 12.0
    """Factor on the goodness (a mean of squares) in the loss."""
    theta: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """Threshold of loss `hinton`."""
    iterations: Iteration = 8
    """Synchronous updates of all layers for one image."""
    damping: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Share of a layer's old state in its new one."""
    learn_from: Iteration = 1
    """First iteration whose state a layer learns from, if the label has reached it; later ones follow."""
    vote_from: Iteration = 3
    """First iteration whose goodness counts in a prediction."""
    vote_to: Annotated[Iteration, Field(validate_default=True)] = 5
    """Last iteration whose goodness counts in a prediction, which ends with it."""
    negatives: Literal["random", "hard"] = "hard"
    """Wrong labels. `random`: drawn uniformly. `hard`: drawn from the probabilities of a head after the bottom-up
    pass."""
    head_learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the softmax head, which draws the hard negatives."""

    @field_validator("theta")
    @classmethod
    def _theta_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="loss", used_by="hinton")

    @field_validator("head_learning_rate")
    @classmethod
    def _head_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="negatives", used_by="hard")

    @field_validator("learn_from", "vote_to")
    @classmethod
    def _iteration_happens(cls, value, info):
        if value > info.data.get("iterations", value):
            default = cls.model_fields[info.field_name].default
            raise ValueError(
                f"at most iterations, which is {info.data['iterations']} ({default} where nothing is said)"
            )
        return value

    @field_validator("vote_to")
    @classmethod
    def _vote_is_not_empty(cls, value, info):
        if value < info.data.get("vote_from", value):
            raise ValueError(f"vote_from or later, which is {info.data['vote_from']}")
        return value


def first_to_learn(options: RecurrentForwardForwardOptions, layers: int, iteration: int) -> int:
    """Return the lowest layer, from 0, that learns in an iteration: a loss of pairs waits for the label."""
    return 0 if options.loss in ONE_SIDED_LOSSES else max(0, layers - iteration)
