"""What a learning rule is: options, what it must observe, a step and an answer."""

import abc
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo

from analogff.data import ImageShape
from analogff.device import InputLines, Observable, derive_seed
from analogff.learning import step_work
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.learning.recording import Recording
from analogff.learning.search_space import Choice, LogUniform, Range
from analogff.network import Network, chain
from analogff.support.state import restore, state_of
from analogff.system import Work, work
from analogff.timing import Schedule

OPTIONS = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
"""Of every model of options."""


class RuleOptions(BaseModel):
    """What every rule can be told."""

    model_config = OPTIONS

    batch: Annotated[int, Field(ge=1, le=2**53)] = 100
    """Images in a step."""
    learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of Adam, before its decay."""
    decay_from: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the training after which the learning rate decays, linearly to zero at the end; 1 for a constant
    rate."""
    update_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Decay of the requested changes, from a digital register of them: a step takes this times the learning rate."""


def refuse_idle(options: type[BaseModel], info: ValidationInfo, value: Any, *, user: str, used_by: str) -> Any:
    """Refuse an option that would do nothing: one that another option's value leaves unused.

    To be called from a field validator of the option, which must stand after the one that it depends on.

    Args:
        options: The options' class.
        info: What pydantic tells the validator.
        value: The option's value; its default is let pass.
        user: The option that decides.
        used_by: Its value with which this one matters.

    Raises:
        ValueError: If the value would do nothing.
    """
    return refuse_unless(info.data.get(user) in (used_by, None), options, info, value, f'{user} = "{used_by}"')


def refuse_unless(used: bool, options: type[BaseModel], info: ValidationInfo, value: Any, needed: str) -> Any:
    """As `refuse_idle`, for an option that several others may give a use.

    Args:
        used: Whether some of them does.
        options: The options' class.
        info: What pydantic tells the validator.
        value: The option's value; its default is let pass.
        needed: What would give it a use, in words.

    Raises:
        ValueError: If the value would do nothing.
    """
    if not used and value != options.model_fields[str(info.field_name)].default:
        raise ValueError(f"{needed} beside it, without which {info.field_name} does nothing")
    return value


O = TypeVar("O", bound=RuleOptions)  # noqa: E741


class Rule(abc.ABC, Generic[O]):
    """A learning rule on sealed chips.

    What it gets to know stands in its constructor: a network sealed at the level that `needs` names.

    Args:
        network: The chips.
        options: An instance of the rule's `Options`.
        seed: The learning seed: negatives, directions, programmed weights and the order of the data.
    """

    name: ClassVar[str]
    Options: ClassVar[type[RuleOptions]] = RuleOptions
    state_names: ClassVar[tuple[str, ...]] = ("generator", "optimizers")
    """Attributes that change while it learns; a subclass adds its own, see `analogff.support.state`."""

    def __init__(self, network: Network, options: O, *, seed: int):
        self.network = network
        self.options = options
        self.seed = seed
        self.generator = torch.Generator().manual_seed(derive_seed(seed, self.name))
        self.optimizers: list[PulseOptimizer] = [
            PulseOptimizer(layer, options.learning_rate, options.update_decay)
            for layer in (*network.layers, network.head)
        ]
        self.fade = 1.0  # what is left of the rate

    @classmethod
    @abc.abstractmethod
    def needs(cls, options: O) -> Observable:
        """Return what a rule with these options must see."""

    @classmethod
    @abc.abstractmethod
    def schedule(cls, options: O) -> Schedule:
        """Return how its reads and writes are laid out in time; see `analogff.timing.schedules`."""

    @classmethod
    def layer_shapes(cls, options: O, n_in: int, widths: Sequence[int], classes: int) -> list[tuple[int, int]]:
        """Return inputs and outputs of every layer, the head last: each layer hears the one before."""
        return chain([n_in, *widths], classes)

    @classmethod
    def written_over(cls, options: O, classes: int) -> int:
        """Return how many of the first lines of an image the rule writes labels over."""
        return 0

    @classmethod
    def input_lines(cls, options: O, n_in: int, widths: Sequence[int], classes: int) -> list[InputLines]:
        """Return what comes with the signal on the input lines of every layer, the head last: see `layer_shapes`."""
        shapes = cls.layer_shapes(options, n_in, widths, classes)
        before = [max(0, lines - signal) for (lines, _), signal in zip(shapes, [n_in, *widths], strict=True)]
        over = [cls.written_over(options, classes), *[0] * len(widths)]
        return [InputLines(before=b, over=o) for b, o in zip(before, over, strict=True)]

    @classmethod
    def check_data(cls, options: O, n_in: int, classes: int, image: ImageShape | None) -> None:  # noqa: B027
        """Refuse data that cannot be learned from with these options; a study asks before anything runs.

        Args:
            options: Of the rule.
            n_in: Numbers of an image.
            classes: Number of labels.
            image: How they are a picture; None for a table.

        Raises:
            ValueError: If so; says what would be right.
        """

    @classmethod
    def uses_head(cls, options: O) -> bool:
        """Tell whether the head is of any use to a rule with these options."""
        return True

    @classmethod
    def programs(cls, options: O) -> bool:
        """Tell whether it sets weights absolutely (`Sealed.program`), which not every chip with weights can."""
        return False

    @classmethod
    def can_bank(cls, options: O) -> bool:
        """Tell whether several chips may be taught in one bank: not where each decides how often it is read."""
        return True

    @classmethod
    def digital_work(cls, options: O, shapes: Sequence[step_work.Shape], batch: int) -> Work:
        """Return the digital work of a typical step beside one chip, in closed form: what the ledger is to count.

        It measures no probe, and has what a study has by default: length normalization and a digital head. Unless a
        rule says otherwise, it passes a batch once, and each layer takes one step.

        Args:
            options: Of the rule.
            shapes: Inputs and outputs of each layer, the head last; see `layer_shapes`.
            batch: Images of the step.
        """
        taught = shapes if cls.uses_head(options) else shapes[:-1]
        return step_work.passing(taught, batch) + work.total(step_work.descent(options, s, batch) for s in taught)

    @classmethod
    def kept_bytes(cls, options: O, shapes: Sequence[step_work.Shape], batch: int) -> int:
        """Return the most memory that learning needs at a time, beside one chip: registers and activities.

        Unless a rule says otherwise, activities are those of one layer at a time. Arguments as `digital_work`.
        """
        taught = shapes if cls.uses_head(options) else shapes[:-1]
        return step_work.registers(options, taught) + max(step_work.activities(s, batch) for s in taught)

    @classmethod
    def search_space(cls, options: O) -> dict[str, Range]:
        """Return what a study may tune, by option: at most four options, none of which changes what it must see.

        Args:
            options: As written, on which it may depend which others have a use.
        """
        return {"learning_rate": LogUniform(1e-4, 1e-2), "batch": Choice((25, 50, 100))}

    @abc.abstractmethod
    def step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Learn from one batch.

        Shapes:
            ``images``: ``(batch, n_in)`` in [0, 1]; ``labels``: ``(batch,)``.

        Returns:
            The training loss of each chip, ``(chips,)``, measured before the update.
        """

    def recording(self) -> Recording | None:
        """Return what the next step does on the CPU, where a CUDA graph may hold the rest; None to have it called."""
        return None

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Classify images, ``(batch, n_in)`` to ``(chips, batch)``."""
        return self.network.classify(images)

    def goodness(self, images: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor] | None:
        """Return the goodness of each layer, ``(chips, batch)`` each, for rules that have one."""
        return None

    def answers_by_layer(self, images: torch.Tensor) -> torch.Tensor | None:
        """Return what each layer alone would answer, ``(layers, chips, batch)``, for rules whose layers can."""
        return None

    def advance(self, progress: float) -> None:
        """Say how much of the training is done, 0 to 1, before each step."""
        start = self.options.decay_from
        self.fade = 1.0 if progress <= start else (1 - progress) / (1 - start)
        for optimizer in self.optimizers:
            optimizer.fade(self.fade)

    def finish_epoch(self) -> None:  # noqa: B027 (most rules have nothing left to do)
        """Do what is due after each pass through the data."""

    def state_dict(self) -> dict[str, Any]:
        """Return what the rule itself remembers, loadable with ``weights_only=True``."""
        return state_of(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        restore(self, state)
