"""What every rule can be told."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from analogff.network import WriteHardware
from analogff.support.options import OPTIONS, refuse_idle, refuse_unless
from analogff.writes.options import FAST, IN_ARRAY, WriteName, write_hardware


class RuleOptions(BaseModel):
    """What every rule can be told."""

    model_config = OPTIONS

    batch: Annotated[int, Field(ge=1, le=2**53)] = 100
    """Images in a step."""
    learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate, before its decay."""
    decay_from: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the training after which the learning rate decays, linearly to zero at the end; 1 for a constant
    rate."""
    write: WriteName = "digital"
    """How steps are written. `digital`: a digital optimizer finds a change, and pulses land it. `sign`: its sign, in
    one pulse. `pulse-trains`: outer products form in the array, by coincident stochastic pulses. `tiki-taka`,
    `tiki-taka-2`, `agad`: they form in a fast second array, whose columns move to the layer. `multi-tile`: weights are
    the sum of several arrays, and pulse trains write them in turn, the finer ones later. `verify`: changes are read
    back and corrected."""
    optimizer: Literal["adam", "momentum"] = "adam"
    """How a gradient becomes a change. `adam`: by the mean and the mean square of each weight's gradient. `momentum`:
    by its mean; it keeps one register less, and one operation in three."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Share of the last step's direction that the next one keeps; 0 for plain gradient descent, without a register."""
    update_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Decay of the requested changes, from a digital register of them: a step takes this times the learning rate."""
    train_slots: Annotated[int, Field(ge=1, le=31)] = 31
    """Slots of a stochastic pulse train."""
    fast_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Rate of the fast array: share of the slots in which the lines that carry most coincide, for a typical vector."""
    transfer_every: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Vectors from one column of the fast array that moves to the next; below 1 several move for each vector."""
    transfer_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 100.0
    """Share of a reading of the fast array that is asked of the layer, over the learning rate."""
    transfer_reads: Literal["noisy", "perfect"] = "noisy"
    """Readings of the fast array. `noisy`: by its own converters and neurons. `perfect`: its true weights, a bound."""
    reference: Literal["measured", "none"] = "measured"
    """What readings are relative to. `measured`: the symmetry points of the fast array, found by pulses up and down
    in turn before the first step. `none`: zero."""
    chop_probability: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability that an input line of the fast array changes its sign after its column was read (c-TTv2)."""
    chop_period: Annotated[int, Field(ge=1)] = 50
    """Reads of a column after which its line changes its sign."""
    tiles: Annotated[int, Field(ge=2, le=8)] = 3
    """Arrays whose sum the weights are."""
    tile_significance: Annotated[float, Field(gt=0, lt=1)] = 0.25
    """Significance of an array in that sum, over that of the one before."""
    verify_rounds: Annotated[int, Field(ge=1)] = 3
    """Rounds of reading and correcting after each step."""
    verify_tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Difference that is not corrected, in mean changes of a pulse."""

    @field_validator("momentum")
    @classmethod
    def _directions_are_kept(cls, value, info):
        return refuse_idle(cls, info, value, user="optimizer", used_by="momentum")

    @field_validator("optimizer", "update_decay")
    @classmethod
    def _changes_are_known(cls, value, info):
        used = info.data.get("write") not in IN_ARRAY
        return refuse_unless(used, cls, info, value, 'write = "digital" or another write of known changes')

    @field_validator("train_slots")
    @classmethod
    def _trains_are_fired(cls, value, info):
        return _refuse_beside_others(cls, info, value, IN_ARRAY)

    @field_validator("fast_rate", "transfer_every", "transfer_rate", "transfer_reads")
    @classmethod
    def _there_is_a_fast_array(cls, value, info):
        return _refuse_beside_others(cls, info, value, FAST)

    @field_validator("reference")
    @classmethod
    def _a_reference_is_subtracted(cls, value, info):
        return _refuse_beside_others(cls, info, value, ("tiki-taka", "tiki-taka-2"))

    @field_validator("chop_probability")
    @classmethod
    def _signs_flip_by_chance(cls, value, info):
        return _refuse_beside_others(cls, info, value, ("tiki-taka-2",))

    @field_validator("chop_period")
    @classmethod
    def _signs_flip_in_time(cls, value, info):
        return _refuse_beside_others(cls, info, value, ("agad",))

    @field_validator("tiles", "tile_significance")
    @classmethod
    def _weights_are_a_sum(cls, value, info):
        return _refuse_beside_others(cls, info, value, ("multi-tile",))

    @field_validator("verify_rounds", "verify_tolerance")
    @classmethod
    def _writes_are_verified(cls, value, info):
        return _refuse_beside_others(cls, info, value, ("verify",))

    @property
    def write_hardware(self) -> WriteHardware:
        """What fabrication makes for the writes of each array."""
        return write_hardware(self)


def _refuse_beside_others(options: type[BaseModel], info: ValidationInfo, value: Any, used_by: tuple[str, ...]) -> Any:
    words = " or ".join(f'write = "{name}"' for name in used_by)
    return refuse_unless(info.data.get("write") in (*used_by, None), options, info, value, words)
