"""One point of a study for one rule, with every value in its place."""

import dataclasses
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, MinLen
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from analogff.data import LEAST_SCALE, MOST_SCALE, Scale
from analogff.learning.rule import refuse_idle

MAX_SEED = 2**63 - 1


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _distinct_seeds(value: Any) -> bool:
    good = isinstance(value, list) and value and all(_whole(v) and 0 <= v <= MAX_SEED for v in value)
    return bool(good) and len(set(value)) == len(value)


def _chip_seeds(value: Any) -> Any:
    if _whole(value) and value >= 1:
        return tuple(range(value))
    if _distinct_seeds(value):
        return tuple(value)
    raise PydanticCustomError("chips", "a number of chips, at least 1, or a list of different chip seeds")


def _learning_seeds(value: Any) -> Any:
    if _distinct_seeds(value):
        return tuple(value)
    raise PydanticCustomError("seeds", "a list of different whole numbers, at least one and none negative")


class Settings(BaseModel):
    """The plain fields of a study file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, MinLen(1)]
    """What the study is called."""
    dataset: Annotated[str, MinLen(1)] = "mnist"
    """A known name, or a folder of IDX or NPZ files."""
    scale: Annotated[float, Field(ge=LEAST_SCALE, le=MOST_SCALE)] | Literal["auto", "columns"] = "auto"
    """The stored number that becomes 1; `auto`: told by the range where it is clear; `columns`: two lines for each
    column of a table, above and below the middle of its range in training."""
    layers: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)]
    """Widths of the hidden layers."""
    epochs: Annotated[int, Ge(1)]
    """Passes through the training images."""
    evaluate_every: Annotated[int, Ge(1)] = 1
    """Epochs from one evaluation to the next; the last is always evaluated."""
    train_images: Annotated[int, Ge(1)] | None = None
    """Taken from the front of the training images; None for all."""
    validation_images: Annotated[int, Ge(0)] | None = None
    """Held out of the training images, never of the test images; None for 2000, or a tenth of small data sets."""
    chips: Annotated[tuple[int, ...], BeforeValidator(_chip_seeds)]
    """Chip seeds; ``n`` in the file stands for 0 to n - 1."""
    seeds: Annotated[tuple[int, ...], BeforeValidator(_learning_seeds)] = (0,)
    """Learning seeds."""
    jitter: Annotated[int, Ge(0)] = 0
    """Whole pixels by which each training image is shifted at most, either way, anew in every epoch."""
    normalization: Literal["length", "l2", "none", "gain-control"] = "length"
    """What the inputs of every layer pass, images too: see `analogff.network.normalization`."""
    agc_max_gain: Annotated[float, Gt(0)] = 30.0
    """Gain of the loop, and of its amplifier in silence; for `gain-control`."""
    agc_offset: Annotated[float, Gt(-1)] = 0.0
    """What its detector does not hear of an output of 1; below 0, what it reports in silence."""
    head: Literal["digital", "device"] = "digital"
    """What the last layer is made of."""
    wait_seconds: Annotated[float, Ge(0)] = 0.0
    """Idle hardware time between training and the last evaluation."""
    compute: Literal["cpu", "cuda"] = "cpu"
    """Where the simulation runs."""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """Of the factors of matrix products on a CUDA device: 24, 11 or 8 bits; sums are in single precision."""

    @field_validator("precision")
    @classmethod
    def _precision_is_used(cls, value: str, info: ValidationInfo) -> Any:
        return refuse_idle(cls, info, value, user="compute", used_by="cuda")

    @property
    def data(self) -> tuple[str, Scale]:
        """What decides how many input lines and labels there are."""
        return self.dataset, self.scale

    @field_validator("agc_max_gain", "agc_offset")
    @classmethod
    def _gain_control_is_used(cls, value: float, info: ValidationInfo) -> Any:
        return refuse_idle(cls, info, value, user="normalization", used_by="gain-control")


FIELDS = (*Settings.model_fields, "device", "rule", "sweep")
"""The names at the top of a study file."""


@dataclasses.dataclass(frozen=True)
class DeviceChoice:
    """A device of a study file."""

    reference: str
    """As written: a name, ``package.module:Class`` or ``file.py:Class``."""
    parameters: dict[str, Any]
    """Every parameter, those not written at their defaults."""
    per_chip: frozenset[str]
    """The parameters of which every chip of a bank can have its own."""
    fingerprint: str
    """The version of the class."""
    copies: float = 1.0
    """What a chip keeps for each weight, in single-precision numbers; for the planning of memory."""


@dataclasses.dataclass(frozen=True)
class RuleChoice:
    """A rule of a study file."""

    name: str
    """As registered."""
    options: dict[str, Any]
    """Every option, those not written at their defaults."""
    fingerprint: str
    """The version of the class."""
    label: str | None = None
    """What tables and figures call it; None for the options that tell it apart."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One point of a study for one rule."""

    settings: Settings
    """The plain fields."""
    devices: tuple[DeviceChoice, ...]
    """One a layer, and one for the head where that is a device."""
    rule: RuleChoice
    """What learns."""
    values: dict[str, Any]
    """The swept paths with their values here; None where the rule has no such option."""

    @property
    def labels(self) -> dict[str, Any]:
        """What tells this case from others in a table: the rule, its options and the swept paths."""
        options = {f"rule.{name}": value for name, value in self.rule.options.items()}
        named = {} if self.rule.label is None else {"label": self.rule.label}
        return {"rule": self.rule.name} | named | options | self.values
