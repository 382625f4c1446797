"""What a learning rule is: options, what it must observe, a step and an answer."""

import abc
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar

import torch

from analogff.data import ImageShape
from analogff.device import InputLines, Observable, derive_seed
from analogff.learning import step_work
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.learning.recording import Recording
from analogff.learning.rule_options import RuleOptions
from analogff.learning.search_space import Choice, LogUniform, Range
from analogff.network import Network, chain, heard
from analogff.support.options import OPTIONS, refuse_idle, refuse_unless
from analogff.support.state import restore, state_of
from analogff.system import Work, work
from analogff.timeline import Dataflow
from analogff.timing import Schedule
from analogff.writes.make import make_writes

__all__ = ["OPTIONS", "PassClock", "Rule", "RuleOptions", "refuse_idle", "refuse_unless"]

PassClock = Literal["pass", "interleaved"]
"""Clocks by which time passes within a step; see `Rule.pass_clocks`."""


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
    measured_names: ClassVar[tuple[str, ...]] = ()
    """Those of them that were measured on the chips, and say nothing about chips of another kind."""
    descends: ClassVar[Literal["output", "layers", "scores", ""]] = ""
    """What its steps descend, for whoever compares them with the true gradient: the cross-entropy of the output by all
    layers, the layers' own losses (of a `LayerLocal` with objectives), or the cross-entropy of the class scores that
    its ``objectives`` give each layer; empty if nothing of these."""
    convolves: ClassVar[bool] = False
    """Whether it learns on convolutions; see `why_no_convolution`."""
    between_passes: Callable[[int], None] | None = None
    """What `pass_over` calls, for whoever lets chips age within a step; None if nobody does."""

    def __init__(self, network: Network, options: O, *, seed: int):
        self.network = network
        self.options = options
        self.seed = seed
        self.generator = torch.Generator().manual_seed(derive_seed(seed, self.name))
        descent = None if options.optimizer == "adam" else options.momentum
        self.optimizers: list[PulseOptimizer] = [
            PulseOptimizer(layer, options.learning_rate, options.update_decay, descent, write)
            for layer, write in zip((*network.layers, network.head), make_writes(network, options, seed), strict=True)
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
    def dataflows(cls, options: O, shapes: Sequence[step_work.Shape], batch: int) -> Sequence[Dataflow]:
        """Return what a step has a chip do, for `analogff timeline`; see `analogff.timeline.dataflow`.

        Returns:
            One dataflow for each part of the training, in equal shares; none if the rule states none. Its digital work
            is that of `digital_work`. Arguments as there.
        """
        return ()

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
        signals = [n_in, *map(heard, widths)]
        before = [max(0, lines - signal) for (lines, _), signal in zip(shapes, signals, strict=True)]
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
    def why_no_convolution(cls, options: O) -> str | None:
        """Say in a clause why layers cannot be convolutions, or return None if they can; a study asks before it runs.

        A rule can if it descends by `PulseOptimizer.descend`, or moves weights of the shape that the datasheet prints,
        and sends activities on by `Network.onward`. Unless a class says otherwise, its attribute `convolves` decides.
        """
        return None if cls.convolves else f"{cls.name}, whose class does not say that it can"

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
    def pass_clocks(cls, options: O) -> tuple[PassClock, ...]:
        """Return the clocks that make a difference within a step, none if time passes between steps only.

        ``pass`` if a step has passes of several kinds, such as positive and negative ones, and says by `pass_over`
        where each ends; ``interleaved`` too if the kinds may alternate from image to image.
        """
        return ()

    @classmethod
    def learns_soft_labels(cls, options: O) -> bool:
        """Tell whether `step` also takes soft labels: a probability of each class, ``(batch, classes)``."""
        return False

    @classmethod
    def digital_work(cls, options: O, shapes: Sequence[step_work.Shape], batch: int) -> Work:
        """Return the digital work of a typical step beside one chip, in closed form: what the ledger is to count.

        It measures no probe, and has what a study has by default: length normalization, a digital head and digital
        writes; `analogff.writes` has the formulas of the others. Unless a
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

        Unless a rule says otherwise, activities are those of one layer at a time, and registers those of digital
        writes. Arguments as `digital_work`.
        """
        taught = shapes if cls.uses_head(options) else shapes[:-1]
        return step_work.registers(options, taught) + max(step_work.activities(s, batch) for s in taught)

    @classmethod
    def search_space(cls, options: O) -> dict[str, Range]:
        """Return what a study may tune, by option: at most four options, none of which changes what it must see.

        Args:
            options: As written, on which it may depend which others have a use.
        """
        rates = LogUniform(1e-4, 1e-2) if options.optimizer == "adam" else LogUniform(1e-3, 10)
        return {"learning_rate": rates, "batch": Choice((25, 50, 100))}

    @abc.abstractmethod
    def step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Learn from one batch.

        Shapes:
            ``images``: ``(batch, n_in)`` in [0, 1]; ``labels``: ``(batch,)``, or soft; see `learns_soft_labels`.

        Returns:
            The training loss of each chip, ``(chips,)``, measured before the update.
        """

    def pass_over(self, images: int) -> None:
        """Say within a step that a pass is over and another one follows; chips age in between if a clock says so.

        Args:
            images: Images of the pass, between which those of the next one may be interleaved; 1 if they may not.
        """
        if self.between_passes is not None:
            self.between_passes(images)

    def recording(self) -> Recording | None:
        """Return what the next step does on the CPU, where a CUDA graph may hold the rest; None to have it called."""
        return None

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Classify images, ``(batch, n_in)`` to ``(chips, batch)``."""
        return self.network.classify(images)

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        """Score the classes, ``(batch, n_in)`` to ``(chips, batch, classes)``; `predict` takes the greatest.

        Their softmax is what the chip believes. A subclass that overrides `predict` overrides this too.
        """
        return self.network.output(images)

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
            optimizer.write.advance(progress)

    def finish_epoch(self) -> None:  # noqa: B027 (most rules have nothing left to do)
        """Do what is due after each pass through the data."""

    def state_dict(self) -> dict[str, Any]:
        """Return what the rule itself remembers, loadable with ``weights_only=True``."""
        return state_of(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        restore(self, state)
