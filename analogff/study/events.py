"""Events in the life of a chip after its training, as a study file lists them."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, field_validator
from pydantic_core import PydanticCustomError

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
    def _one_of_both(cls, value: int | None, info: Any) -> int | None:
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


class Distil(Event):
    """Let a student, a chip as fabricated, learn from the answers of the present chip, and take its place."""

    do: Literal["distil"] = "distil"
    to: Annotated[int, Field(ge=0)]
    """Chip seed of the student; see `copy`."""
    relative: bool = False
    """Whether `to` is added to the old chip's seed."""
    epochs: Annotated[int, Field(ge=1)] = 1
    """Passes of the student through its images."""
    images: Annotated[int, Field(ge=1)] | None = None
    """Number of images that the teacher answers, from the front of the training images; all by default."""
    labels: Literal["teacher", "true"] = "teacher"
    """Labels that the student learns from: the teacher's answers, or the true ones, as a control."""


class Repeat(Event):
    """Do a list of events several times."""

    do: Literal["repeat"] = "repeat"
    times: Annotated[int, Field(ge=1, le=10_000)]
    """Number of times."""
    event: tuple[SerializeAsAny[Event], ...]
    """The events."""


EVENTS: dict[str, type[Event]] = {
    model.model_fields["do"].default: model for model in (Train, Wait, Set, Copy, Distil, Evaluate, Repeat)
}
"""Models of events by kind."""
