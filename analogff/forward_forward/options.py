"""Options of Forward-Forward."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator

from analogff.forward_forward.losses import SCFF_PENALTY, SCFF_SLACK
from analogff.learning.layer_local import LayerLocalOptions
from analogff.learning.layer_order import OrderOptions
from analogff.learning.rule import refuse_idle, refuse_unless

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
COSINE_SCALE = 4.5
"""On ideal neurons 4 to 5 are suitable."""


class ForwardForwardOptions(OrderOptions, LayerLocalOptions):
    """Options of Forward-Forward."""

    learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0015
    """Learning rate, before its decay."""
    goodness: Literal["mean", "sum", "cosine"] = "mean"
    """Goodness of a layer: mean or sum of its squared activities, or their cosine with a fixed random direction."""
    direction: Literal["maximize", "minimize"] = "maximize"
    """Whether positive inputs get more goodness than negative ones, or less."""
    loss: Literal["hinton", "symba", "swish", "scff"] = "swish"
    """Loss that compares positive and negative goodness."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["measured"] = Field(
        default_factory=lambda given: COSINE_SCALE if given.get("goodness") == "cosine" else "measured"
    )
    """Factor on the goodness in the loss. `measured`: from the spread of the first outputs, for each layer of each
    chip. On ideal neurons 12 suits a mean of squares, and 12 over the width a sum. A cosine has no unit; its default
    is 4.5."""
    theta: Finite | Annotated[tuple[Finite, ...], Field(min_length=1)] | Literal["measured"] = 1.0
    """Threshold of losses `hinton` and `scff`, one for all layers or one for each. It applies to a mean of squares
    or a cosine; a sum of squares uses this times the layer's width. `measured`: the mean goodness of a layer's first
    outputs."""
    slack: Annotated[float, Field(ge=0, allow_inf_nan=False)] = SCFF_SLACK
    """Distance of the negative threshold of loss `scff` above theta (below it if goodness is minimized)."""
    penalty: Annotated[float, Field(ge=0, allow_inf_nan=False)] = SCFF_PENALTY
    """Factor on the penalty of positive goodness in loss `scff`."""
    negatives: Literal["random", "hard", "goodness", "all"] = "hard"
    """Wrong labels. `random`: drawn uniformly. `hard`: drawn from the head's probabilities. `goodness`: drawn by the
    goodness of every label (one read for each). `all`: all wrong labels."""
    phase_length: Annotated[int, Field(ge=0)] = 0
    """Length of alternating phases of positive and negative inputs, in steps; 0 for both in every step. Only for the
    one-sided losses `hinton` and `scff`."""
    labels: Literal["overlay", "lines", "rows"] = "overlay"
    """Where labels enter. `overlay`: over the first pixels. `lines`: on separate input lines. `rows`: on separate
    lines of every hidden layer."""
    label_strength: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3.0
    """Factor on the one-hot label and on the neutral label."""
    prediction: Literal["goodness", "head", "both"] = "goodness"
    """Classification by the goodness of every label (one pass for each class), by the head in one pass, or by both."""
    vote_from: Annotated[int, Field(ge=1)] = 1
    """First layer whose goodness counts in a comparison of labels; 1 is the first hidden layer."""
    head_learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the softmax head, used by hard negatives and by prediction with the head."""
    peer_strength: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Strength of peer normalization: the pull of each neuron's mean activity to that of its layer. Hinton's is
    0.03."""
    saturation_gradient: bool = Field(default_factory=lambda given: given.get("slope") != "assumed")
    """Whether neurons that negative inputs drive to the nominal end of the range receive a gradient there: the mean
    slope of readings near the end. Off with assumed slopes, which have none."""
    dropout: Share = 0.0
    """Probability that an input line of a later hidden layer is dropped in a training step."""
    input_dropout: Share = 0.0
    """Probability that a pixel is dropped in a training step."""

    @field_validator("scale")
    @classmethod
    def _scale_has_a_unit(cls, value, info):
        if value == "measured" and info.data.get("goodness") == "cosine":
            raise ValueError("a number beside a cosine, which has no unit that could be measured")
        return value

    @field_validator("theta")
    @classmethod
    def _theta_is_used(cls, value, info):
        used = info.data.get("loss") in ("hinton", "scff", None)
        return refuse_unless(used, cls, info, value, 'loss = "scff" or loss = "hinton"')

    @field_validator("phase_length")
    @classmethod
    def _halves_stand_alone(cls, value, info):
        beside = info.data
        if value and beside.get("loss") not in ("hinton", "scff", None):
            raise ValueError('0 beside a loss of pairs, which needs both halves; or loss = "hinton" or loss = "scff"')
        if value and beside.get("negatives") == "all":
            raise ValueError('0 beside negatives = "all", which would outnumber the positives of a wake phase')
        if value and beside.get("order") == "pipelined":
            raise ValueError('0 beside order = "pipelined", whose layers would be in different phases')
        return value

    @field_validator("labels")
    @classmethod
    def _labels_keep_pace(cls, value, info):
        if value == "rows" and info.data.get("order") == "pipelined":
            raise ValueError(
                '"overlay" or "lines" beside order = "pipelined": rows would tell the labels of a later step'
            )
        return value

    @field_validator("saturation_gradient")
    @classmethod
    def _release_is_used(cls, value, info):
        used = not value or info.data.get("slope") != "assumed"
        return refuse_unless(used, cls, info, value, 'slope = "probed", slope = "fitted" or slope = "oracle"')

    @field_validator("dropout")
    @classmethod
    def _masks_keep_pace(cls, value, info):
        if value and info.data.get("order") == "pipelined":
            raise ValueError('0 beside order = "pipelined", whose layers hear lines masked a step before')
        return value

    @field_validator("slack", "penalty")
    @classmethod
    def _threshold_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="loss", used_by="scff")

    @field_validator("vote_from")
    @classmethod
    def _vote_is_used(cls, value, info):
        used = info.data.get("prediction") in ("goodness", "both", None)
        used |= info.data.get("negatives") in ("goodness", None)
        needed = 'prediction = "goodness", prediction = "both" or negatives = "goodness"'
        return refuse_unless(used, cls, info, value, needed)

    @field_validator("head_learning_rate")
    @classmethod
    def _head_is_used(cls, value, info):
        used = info.data.get("prediction") in ("head", "both", None) or info.data.get("negatives") in ("hard", None)
        needed = 'prediction = "both", negatives = "hard" or prediction = "head"'
        return refuse_unless(used, cls, info, value, needed)

    @property
    def uses_head(self) -> bool:
        """Whether the head is of any use."""
        return self.negatives == "hard" or self.prediction != "goodness"

    def refuse_depth(self, widths: Sequence[int]) -> None:
        """Refuse options that do not fit the number of hidden layers.

        Raises:
            ValueError: If there is a theta too many or too few, if no layer is to vote, or if an option does nothing.
        """
        super().refuse_depth(widths)
        layers = len(widths)
        if isinstance(self.theta, tuple) and len(self.theta) != layers:
            raise ValueError(
                f"Expected one theta for all layers, or {layers}, one for each. Got {len(self.theta)}. "
                "Write as many as the network has hidden layers."
            )
        if self.vote_from > layers:
            raise ValueError(
                f"Expected vote_from to be one of {layers} hidden layers. Got {self.vote_from}. "
                "Take a smaller one, so that some layer votes."
            )
        if layers == 1 and self.dropout:
            raise ValueError(
                f"Expected dropout = 0 in a network of one hidden layer. Got {self.dropout}, which does nothing there. "
                "Take input_dropout for pixels."
            )
        if layers == 1 and self.labels == "rows":
            raise ValueError(
                'Expected labels = "lines" in a network of one hidden layer. Got "rows", which are the same '
                "there. Write lines, or take more layers."
            )
