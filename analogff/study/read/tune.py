"""The table ``[tune]``: how options are chosen before a study runs."""

import itertools
import json
from typing import Annotated, Any, Literal

from annotated_types import Ge
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from analogff.study.read.document import MAX_RUNS, Document
from analogff.study.settings import MAX_SEED, Settings, distinct_seeds, whole
from analogff.support.mistakes import Mistake, from_pydantic, shown

FIRST_SEED = 1_000_000
"""First seed of the chips of a tuning, and of its learning seeds, that no study uses by its number of chips."""


def _other_chips(value: object) -> int | tuple[int, ...]:
    if whole(value) and 1 <= value <= MAX_RUNS:
        return value
    if distinct_seeds(value):
        return tuple(value)
    raise PydanticCustomError("chips", "a number of chips, at least 1, or a list of different chip seeds")


class Tune(BaseModel):
    """Equal trials for each rule over its search space, on other chips, before the study runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    trials: Annotated[int, Ge(2)] = 8
    """Number of settings tried for each rule. The first has the options as written, or their defaults."""
    chips: Annotated[int | tuple[int, ...], BeforeValidator(_other_chips)] = 2
    """Number of other chips for each trial (chip seeds from 1000000), or a list of chip seeds. None may be a chip of
    the study."""
    points: Literal["first", "each"] = "first"
    """Where options are chosen. `first`: at the first value of all sweeps of other than rule options, for all values.
    `each`: at each point for itself."""
    epochs: Annotated[int, Ge(1)] | None = None
    """Epochs of a trial; those of the study by default."""
    seed: Annotated[int, Ge(0)] = 0
    """Seed of the sampler of trials."""

    def chip_seeds(self, settings: Settings) -> tuple[int, ...]:
        """Return the chips of a trial."""
        if isinstance(self.chips, tuple):
            return self.chips
        return tuple(itertools.islice(_unused(settings.chips), self.chips))

    def of_trial(self, settings: Settings) -> Settings:
        """Return the settings of a trial: other chips, another learning seed, evaluated once."""
        epochs = self.epochs or settings.epochs
        own = {"epochs": epochs, "evaluate_every": epochs}
        seeds = {"chips": self.chip_seeds(settings), "seeds": (next(_unused(settings.seeds)),)}
        return settings.model_copy(update=own | seeds)


def read_tune(document: Document) -> tuple[Tune | None, list[Mistake]]:
    """Return the table of a study, None if it has none, and the mistakes in it."""
    table = document.get("tune")
    if table is None:
        return None, []
    if not isinstance(table, dict):
        return None, [Mistake("tune", "a table", shown(table), "Write [tune] and trials = 8.")]
    try:
        return Tune.model_validate_json(json.dumps(table, default=str), strict=True), []
    except ValidationError as error:
        return None, from_pydantic(error, "tune", "a field of [tune]", Tune.model_fields)


def misuse(tune: Tune, settings: Settings) -> list[Mistake]:
    """Return why options cannot be tuned for a study with these settings."""
    mistakes = []
    if settings.validation_images == 0:
        expected, advice = "more than 0 beside [tune], which chooses by the validation error", "Hold some out."
        mistakes.append(Mistake("validation_images", expected, "0", advice))
    if common := sorted(set(tune.chip_seeds(settings)) & set(settings.chips)):
        expected, advice = "other chips than those of the study", f"Take others, from {FIRST_SEED} for example."
        mistakes.append(Mistake("tune.chips", expected, shown(common), advice))
    return mistakes


def _unused(seeds: tuple[int, ...]) -> Any:
    """Yield seeds that are not among some."""
    return (seed for seed in range(FIRST_SEED, MAX_SEED) if seed not in set(seeds))
