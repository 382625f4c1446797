"""Events in the life of a chip after its training, as a study file lists them."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from analogff.learning.rule import refuse_idle

_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0, "year": 31557600.0}
_DURATION = re.compile(rf"\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*({'|'.join(_UNITS)})s?\s*")


def seconds_of(value: object) -> object:
    """Return a duration in seconds; other values unchanged.

    Raises:
        PydanticCustomError: If it is a text that is none.

    Example:
        >>> seconds_of("1 day"), seconds_of("2 years"), seconds_of(10.0)
        (86400.0, 63115200.0, 10.0)
    """
    if not isinstance(value, str):
        return value
    if (found := _DURATION.fullmatch(value)) is None:
        raise PydanticCustomError("duration", 'seconds, or a text such as "90 minutes", "1 day" or "2 years"')
    return float(found[1]) * _UNITS[found[2]]


Duration = Annotated[float, BeforeValidator(seconds_of), Field(ge=0, allow_inf_nan=False)]
"""Hardware time in seconds."""


class Event(BaseModel):
    """An event of a chip's life."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    do: str
    """Kind of the event."""


class Evaluate(Event):
    """Take the error on validation and test images, as after training."""

    do: Literal["evaluate"] = "evaluate"


class Wait(Event):
    """Let hardware time pass: drift, relaxation."""

    do: Literal["wait"] = "wait"
    seconds: Duration
    """Hardware time: a number of seconds, or a text such as `"1 day"` or `"1 year"`."""


class Compensate(Event):
    """Rescale the outputs of each array by the gain that it lost since it was written, as fixed inputs show it."""

    do: Literal["compensate"] = "compensate"


class Set(Event):
    """Change a parameter of the devices. What training has changed stays, all else is as the new value makes it."""

    do: Literal["set"] = "set"
    path: str
    """Path of the parameter: `device.read_noise` for all layers, `device.1.read_noise` for one of several tables."""
    value: Any
    """Its value from then on."""

    @field_validator("path")
    @classmethod
    def _is_of_a_device(cls, value: str) -> str:
        head, *rest = value.split(".")
        if head != "device" or not rest or rest[-1] == "model":
            raise PydanticCustomError("path", "the path of a device parameter, such as device.read_noise")
        return value


class Train(Event):
    """Train on, with the options of the rule or with others."""

    do: Literal["train"] = "train"
    images: Annotated[int, Field(ge=1)] | None = None
    """Training images to learn from once, drawn anew by each event."""
    epochs: Annotated[int, Field(ge=1)] | None = None
    """Passes through all training images, instead of `images`."""
    rule: dict[str, Any] = Field(default_factory=dict)
    """Options that differ from those of the rule so far, or another rule by its `name`."""

    @field_validator("epochs")
    @classmethod
    def _one_of_both(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("images") is not None:
            raise PydanticCustomError("both", "images or epochs, one of both")
        return value


class Copy(Event):
    """Copy the weights to another chip, which then takes the place of the old one."""

    do: Literal["copy"] = "copy"
    to: Annotated[int, Field(ge=0)]
    """Chip seed of the new chip, or, with `relative`, what is added to that of the old one."""
    relative: bool = False
    """Whether `to` is added to the old chip's seed."""
    by: Literal["register", "readout"] = "register"
    """How weights are known. `register`: from a digital register of what was requested. `readout`: from reads of the
    old chip with one input line on at a time, through the printed curve."""
    reads: Annotated[int, Field(ge=1)] = 1
    """Reads of each line that `readout` averages, and as many without input."""
    device: dict[str, Any] | None = None
    """Device of the new chip, a table with its `model` and parameters; that of the old chip by default."""

    @field_validator("reads")
    @classmethod
    def _reads_are_used(cls, value: int, info: ValidationInfo) -> int:
        return refuse_idle(cls, info, value, user="by", used_by="readout")


class Distil(Event):
    """Let a student, a chip as fabricated, learn from the answers of the present chip, and take its place."""

    do: Literal["distil"] = "distil"
    to: Annotated[int, Field(ge=0)]
    """Chip seed of the student; see `copy`."""
    relative: bool = False
    """Whether `to` is added to the old chip's seed."""
    device: dict[str, Any] | None = None
    """Device of the student; see `copy`."""
    rule: dict[str, Any] = Field(default_factory=dict)
    """Options of the student's rule that differ from those of the teacher's, or another rule by its `name`."""
    epochs: Annotated[int, Field(ge=1)] = 1
    """Passes of the student through its images."""
    images: Annotated[int, Field(ge=1)] | None = None
    """Number of images that the teacher answers, from the front of those of `images_from`; all by default."""
    images_from: Literal["training", "unlabeled"] = "training"
    """Images that the student sees: those that the teacher learned from, or images of the data set that nobody was
    trained on, whose true labels are never used (those that `train_images` and `validation_images` leave over)."""
    labels: Literal["teacher", "soft", "true"] = "teacher"
    """Labels that the student learns from. `teacher`: the teacher's answers. `soft`: the probabilities of all classes,
    as the teacher's scores give them. `true`: the true labels, as a control."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Divisor of the teacher's scores before they become probabilities, for `soft`; the student's own are not divided.
    Scores by goodness are unsure at 1 where nine in ten answers are right, and need about 0.25."""

    @field_validator("labels")
    @classmethod
    def _true_labels_are_there(cls, value: str, info: ValidationInfo) -> str:
        if value == "true" and info.data.get("images_from") == "unlabeled":
            raise PydanticCustomError("unlabeled", '"teacher" or "soft" beside images_from = "unlabeled"')
        return value

    @field_validator("temperature")
    @classmethod
    def _temperature_is_used(cls, value: float, info: ValidationInfo) -> float:
        return refuse_idle(cls, info, value, user="labels", used_by="soft")


class Repeat(Event):
    """Do a list of events several times."""

    do: Literal["repeat"] = "repeat"
    times: Annotated[int, Field(ge=1, le=10_000)]
    """Number of times."""
    event: tuple[SerializeAsAny[Event], ...]
    """The events."""


EVENTS: dict[str, type[Event]] = {
    model.model_fields["do"].default: model for model in (Train, Wait, Set, Copy, Distil, Compensate, Evaluate, Repeat)
}
"""Models of events by kind."""
