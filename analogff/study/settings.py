"""The plain fields of a study file, and the tables among them."""

from typing import Annotated, Any, Literal, TypeGuard

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializeAsAny,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import PydanticCustomError

from analogff.data import LEAST_SCALE, MOST_SCALE, Augmentation, DataChoice
from analogff.learning.rule import refuse_idle
from analogff.network import ConvolutionLayer, Layer
from analogff.network.normalization import Normalizer
from analogff.network.normalizers import Normalization, make_normalizer
from analogff.study.diagnostics import Diagnostics
from analogff.study.events import Event
from analogff.system import Prices
from analogff.timeline import Architecture
from analogff.training.budget import Budget
from analogff.training.clock import Clock

MAX_SEED = 2**63 - 1
_Side = Annotated[int, Ge(1), Le(4096)]


def whole(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def distinct_seeds(value: object) -> TypeGuard[list[int]]:
    """Return whether a value is a list of different seeds, with at least one."""
    if not (isinstance(value, list) and value):
        return False
    return all(whole(v) and 0 <= v <= MAX_SEED for v in value) and len(set(value)) == len(value)


def _chip_seeds(value: object) -> tuple[int, ...]:
    if whole(value) and value >= 1:
        return tuple(range(value))
    if distinct_seeds(value):
        return tuple(value)
    raise PydanticCustomError("chips", "a number of chips, at least 1, or a list of different chip seeds")


def _learning_seeds(value: object) -> tuple[int, ...]:
    if distinct_seeds(value):
        return tuple(value)
    raise PydanticCustomError("seeds", "a list of different whole numbers, at least one and none negative")


def _layer(value: object, width: ValidatorFunctionWrapHandler) -> Layer:
    """Take a convolution as it was kept; a study file's is read by `analogff.study.read.layers`."""
    if isinstance(value, dict):
        return ConvolutionLayer(**value)
    return value if isinstance(value, ConvolutionLayer) else width(value)


def _plain_layer(layer: Layer) -> int | dict[str, Any]:
    return layer.model_dump() if isinstance(layer, ConvolutionLayer) else layer


_Layer = Annotated[int, Ge(1), WrapValidator(_layer), PlainSerializer(_plain_layer)]


class Settings(BaseModel):
    """The plain fields of a study file, and the tables of `TABLES`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    name: Annotated[str, MinLen(1)]
    """Name of the study. Its results go to `results/NAME`."""
    question: str = ""
    """What the study asks, in a sentence or two; the report begins with it. Changes no run."""
    dataset: Annotated[str, MinLen(1)] = "mnist"
    """`mnist` (ships with the package), `digits` (scikit-learn, 1437 training images), `fashion-mnist` (read from
    `ANALOGFF_DATA`, as are `cifar10` and `cifar10-jpeg`), `mnist1d` (generated), or a path relative to the study file:
    a folder of class-named images, of IDX, NPZ or CSV files, a tar archive of such images, or a CSV file."""
    scale: Annotated[float, Field(ge=LEAST_SCALE, le=MOST_SCALE)] | Literal["auto", "columns"] = "auto"
    """Stored number that becomes 1. `auto` infers it from the range: 255 for bytes that exceed 127, 1 for bits and for
    floats up to 1. Any other range needs a number. `columns` encodes each column of a table on two input lines."""
    image_size: _Side | tuple[_Side, _Side] | None = None
    """Side to which images are resized in pixels, or height and width; as stored by default. Refused for tables."""
    gray: bool = False
    """Whether images in color become gray, by 0.299 R + 0.587 G + 0.114 B."""
    label_column: Annotated[str, MinLen(1)] | None = None
    """Name of the column of a CSV table that holds the labels; the last one by default."""
    layers: Annotated[tuple[_Layer, ...], MinLen(1)]
    """Hidden layers: widths, or tables such as `{conv = 96, kernel = 3, pool = 2}` and `{dense = 500}`, see below."""
    epochs: Annotated[int, Ge(1)]
    """Passes through the training images."""
    evaluate_every: Annotated[int, Ge(1)] = 1
    """Epochs from one evaluation to the next. The last epoch is always evaluated."""
    train_images: Annotated[int, Ge(1)] | None = None
    """Number of training images, taken from the front; all by default. The test set is always whole."""
    validation_images: Annotated[int, Ge(0)] | None = None
    """Number of images held out from the end of the training images, for model selection. By default 2000, or a tenth
    of a small data set. Never test images."""
    chips: Annotated[tuple[int, ...], BeforeValidator(_chip_seeds)]
    """Number n of fabricated chips (chip seeds 0 to n - 1), or a list of chip seeds. Every point uses all of them."""
    seeds: Annotated[tuple[int, ...], BeforeValidator(_learning_seeds)] = (0,)
    """Learning seeds. They decide the order of the data, negatives, directions and programmed weights."""
    jitter: Annotated[int, Ge(0)] = 0
    """Maximum shift of a training image in whole pixels. Every epoch draws a new shift for each image. All rules get
    the same shifts. This is the random crop with padding by zeros of CIFAR-10, where 4 is usual. Refused for tables.
    It is not charged as digital work."""
    flip: bool = False
    """Whether each training image is mirrored, left to right, with a probability of one half. Every epoch draws anew,
    the same for all rules. Refused for tables. It is not charged as digital work."""
    normalization: Normalization = "length"
    """Normalization of the inputs of each layer, of the head and of the images. `length`: y / rms(y), digital. `l2`:
    y / norm(y), digital; inputs shrink as a layer grows. `layer`: (y - mean(y)) / std(y), digital; inputs are below 0,
    too. `group`: the same for each group of channels with its map, and for whole images. `gain-control`:
    y / (rms(y) + 1/gain), an analog loop of limited gain, which leaves weak activities weak. `none`: images stay in
    [0, 1]."""
    normalization_groups: Annotated[int, Ge(1)] = 10
    """Groups of neighboring channels (neurons, of a dense layer) in each hidden layer. Only with `group`."""
    agc_max_gain: Annotated[float, Gt(0)] = 30.0
    """Maximum gain of the analog loop, which is also its gain at zero input. Only with `gain-control`."""
    agc_offset: Annotated[float, Gt(-1)] = 0.0
    """Detector offset of the analog loop, in units of its target rms of 1. Above 0 the detector misses this much of the
    output; below 0 it reports this much at zero output. Only with `gain-control`."""
    controls: bool = False
    """Whether every rule is also run at every point with its hidden layers silent (`no device`), as a softmax layer on
    the images alone (`linear digital`) and on exact ReLU layers (`same size digital`)."""
    target_error: Annotated[float, Field(gt=0, lt=100)] | None = None
    """Test error in percent for which the figure `energy_to_error` shows what each rule has spent. Evaluations have to
    be frequent, since costs are interpolated between them. Changes no run."""
    head: Literal["digital", "device"] = "digital"
    """Softmax layer on the last activities: exact and digital, or a device."""
    wait_seconds: Annotated[float, Ge(0)] = 0.0
    """Idle hardware time between training and the last evaluation."""
    clock: Clock = "epoch"
    """When chips age by the hardware time of their training. After each `epoch`, which is fastest, or each `step`, so
    that drift acts within an epoch. `pass`: also between the passes of a step, such as all positive images and then all
    negative ones (++--). `interleaved`: the same, with passes that alternate from image to image (+-+-). Rules whose
    steps have one kind of pass age by steps then."""
    first_weights: Literal["fabricated", "programmed"] = "fabricated"
    """Weights to begin with. `fabricated`: those that a chip came with, which nobody knows. `programmed`: drawn by the
    learning seed and written onto the arrays before learning, so that they are known up to the errors of writing; these
    writes count. Rules that program their own first weights do so in any case."""
    keep: bool = False
    """Whether every trained chip is kept in `DIR/chips`, for `analogff evaluate`."""
    compute: Literal["cpu", "cuda"] = "cpu"
    """Where the simulation runs."""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """Precision of the factors of matrix products: 24, 11 or 8 bits. Sums are in single precision. Only with `cuda`."""
    budget: Budget | None = None
    """Limits of every training: the table `[budget]`, see below."""
    system: Prices | None = None
    """Prices of digital work: the table `[system]`, see below; those of 45 nm by default."""
    pipeline: Architecture | None = None
    """What stands around the arrays: the table `[pipeline]`, see below. Changes no training."""
    diagnostics: Diagnostics | None = None
    """What is looked at along training: the table `[diagnostics]`, see below. Changes no training."""
    event: tuple[SerializeAsAny[Event], ...] = ()
    """What happens to the chips after training: the tables `[[event]]`, see below."""

    @field_validator("precision")
    @classmethod
    def _precision_is_used(cls, value: str, info: ValidationInfo) -> str:
        return refuse_idle(cls, info, value, user="compute", used_by="cuda")

    @property
    def convolves(self) -> bool:
        """Whether a hidden layer is a convolution."""
        return any(isinstance(layer, ConvolutionLayer) for layer in self.layers)

    @property
    def has_groups(self) -> bool:
        """Whether a convolution has groups of channels, which have an array each."""
        return any(isinstance(layer, ConvolutionLayer) and layer.groups > 1 for layer in self.layers)

    @property
    def data(self) -> DataChoice:
        """Data set and how it is read, which determine the numbers of input lines and labels."""
        side = self.image_size
        size = (side, side) if isinstance(side, int) else side
        return DataChoice(self.dataset, self.scale, size, self.gray, self.label_column)

    @property
    def augmentation(self) -> Augmentation:
        """What happens to training images."""
        return Augmentation(self.jitter, self.flip)

    @property
    def normalizer(self) -> Normalizer:
        """What is between layers, and before the first."""
        given = {"max_gain": self.agc_max_gain, "offset": self.agc_offset}
        return make_normalizer(self.normalization, groups=self.normalization_groups, **given)

    @field_validator("normalization_groups")
    @classmethod
    def _groups_are_used(cls, value: int, info: ValidationInfo) -> int:
        return refuse_idle(cls, info, value, user="normalization", used_by="group")

    @field_validator("agc_max_gain", "agc_offset")
    @classmethod
    def _gain_control_is_used(cls, value: float, info: ValidationInfo) -> float:
        return refuse_idle(cls, info, value, user="normalization", used_by="gain-control")


TABLES: dict[str, type[BaseModel]] = {
    "budget": Budget,
    "system": Prices,
    "pipeline": Architecture,
    "diagnostics": Diagnostics,
}
"""Tables of a study file that are fields of `Settings`; their paths may be swept."""
FIELDS = (*Settings.model_fields, "device", "rule", "sweep", "tune", "figure")
"""Names of the top-level fields of a study file."""
