"""The `[diagnostics]` table of a study: what is looked at along training."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Diagnostics(BaseModel):
    """What steps ask of each layer beside the true gradient, along training. Changes no number of any run."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    every: Annotated[int, Field(ge=1)]
    """Steps from one look to the next; the first is before the first step."""
    repeats: Annotated[int, Field(ge=2)] = 8
    """Steps that are tried at each look, with one batch, each with its own noise and directions. None of them is
    taken."""
