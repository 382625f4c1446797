"""The `[budget]` table of a study: what a training may spend."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]
OF_EACH_CHIP = ("pulses", "device_seconds", "system_joules")
"""Limits that chips of a bank reach at different steps."""


class Budget(BaseModel):
    """Limits of every training, which ends with the step that reaches one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    reads: _Limit | None = None
    """Reads of a chip in training."""
    pulses: _Limit | None = None
    """Elementary write steps of a chip."""
    device_seconds: _Limit | None = None
    """Hardware time of a chip in training."""
    system_joules: _Limit | None = None
    """Energy of the chip and its digital surroundings in training."""
    epochs: _Limit | None = None
    """Passes through the training images; may be a fraction. The study's `epochs` holds too."""

    @model_validator(mode="after")
    def _limits_something(self) -> "Budget":
        if not self.limits:
            raise ValueError(f"at least one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: limit for name, limit in self if limit is not None}

    @property
    def of_each_chip(self) -> list[str]:
        """The limits that are set of which each chip has its own, see `OF_EACH_CHIP`."""
        return [name for name in OF_EACH_CHIP if name in self.limits]
