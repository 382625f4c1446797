"""Training steps and answers as CUDA graphs, recorded once and replayed in one launch."""

import logging
import operator
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import torch

from analogff.device import Ledger
from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.support.draws import Tape
from analogff.training.progress import Upcoming

WARM = 2
"""Calls of a kind before one is recorded: they compile kernels and make the memory of optimizers."""
_LOG = logging.getLogger(__name__)


class Recorded:
    """A function of tensors, held in a CUDA graph.

    Args:
        function: Reads and writes tensors that stay in their places, and returns one.
        inputs: Examples of its arguments.
        tape: Has rehearsed what it draws.
        ledger: Counts what it does at each replay.

    Raises:
        RuntimeError: If it does what no graph can hold, such as waiting for the device.
    """

    def __init__(
        self, function: Callable[..., torch.Tensor], inputs: Sequence[torch.Tensor], tape: Tape, ledger: Ledger
    ):
        self.inputs = [tensor.clone() for tensor in inputs]
        self.tape = tape
        self.graph = torch.cuda.CUDAGraph()
        self.ledger, before = ledger, ledger.whole()
        try:
            with self.tape.recording(), torch.cuda.graph(self.graph):
                self.output = function(*self.inputs)
            self.counts = _difference(ledger.whole(), before)
        finally:
            ledger.set_whole(before)  # nothing was done yet

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Replay it; what is returned is valid until the next call."""
        for place, tensor in zip(self.inputs, inputs, strict=True):
            place.copy_(tensor)
        self.tape.refill()
        self.graph.replay()
        self.ledger.set_whole(_sum(self.ledger.whole(), self.counts))
        return self.output


class Recorder:
    """Takes the steps of a rule and asks for its answers, by replay wherever that does the same.

    On a CPU, with devices that cannot be recorded, and for steps that measure or decide something, it calls the rule.

    Args:
        rule: The rule.
        chips: Its chips.
        watch: Called by whoever trains before each step.
    """

    def __init__(self, rule: Rule, chips: Chips, watch: Callable[[Upcoming], None] | None = None):
        self.rule, self.chips, self.watch = rule, chips, watch
        there = {buffer.device.type for buffer in chips.devices.buffers()}
        self.on = there == {"cuda"} and all(device.can_be_recorded() for device in chips.devices)  # type: ignore[operator]
        self._recorded: dict[Hashable, Recorded] = {}
        self._tapes: dict[Hashable, Tape] = {}
        self._seen: Counter[Hashable] = Counter()
        self._places: tuple[int, ...] = ()

    def begin_epoch(self) -> None:
        """Forget what was recorded of tensors that are elsewhere now."""
        places = tuple(buffer.data_ptr() for buffer in self.chips.devices.buffers()) if self.on else ()
        if places != self._places:
            self._recorded, self._seen, self._places = {}, Counter(), places

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take a step; see `Rule.step`. The loss is valid until the next one."""
        ages_within = self.rule.between_passes is not None  # by times that no graph knows
        plan = self.rule.recording() if self.on and not ages_within else None
        if plan is None or not all(optimizer.can_be_recorded for optimizer in plan.optimizers):
            return self.rule.step(images, labels)
        key = ("step", plan.key, images.shape)
        if not self._is_warm(key):
            return self._called(key, self.rule.step, images, labels)
        asked = [probe.reads for probe in plan.probes]
        for optimizer in plan.optimizers:
            optimizer.prepare()
        recorded = self._find(key, self.rule.step, images, labels)
        for probe, reads in zip(plan.probes, asked, strict=True):
            probe.reads = reads + (recorded is not None)
        for optimizer in plan.optimizers:  # a replay takes the step that was begun, and does not say so
            optimizer.prepared = recorded is None
        return self.rule.step(images, labels) if recorded is None else recorded(images, labels)

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Ask for answers; see `Rule.predict`. They are valid until the next call."""
        key = ("predict", images.shape)
        if not self.on:
            return self.rule.predict(images)
        if not self._is_warm(key):
            return self._called(key, self.rule.predict, images)
        recorded = self._find(key, self.rule.predict, images)
        return self.rule.predict(images) if recorded is None else recorded(images)

    def _is_warm(self, key: Hashable) -> bool:
        """Tell whether there were calls enough of this kind."""
        return self._seen[key] >= WARM

    def _called(self, key: Hashable, function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> torch.Tensor:
        """Call for warmth; the last time is the rehearsal."""
        self._seen[key] += 1
        self._tapes[key] = Tape()
        with self._tapes[key].rehearsing():
            return function(*inputs)

    def _find(self, key: Hashable, function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> Recorded | None:
        """Return the recording, made now if there is none; None if it cannot be made, now and later."""
        if key not in self._recorded:
            try:
                self._recorded[key] = Recorded(function, inputs, self._tapes[key], self.chips.ledger)
            except RuntimeError as error:
                _LOG.warning("Steps cannot be held in a CUDA graph, and are slower: %s", str(error).splitlines()[0])
                self.on = False
                return None
        return self._recorded[key]


_Counts = dict[str, tuple[float, ...]]


def _difference(after: _Counts, before: _Counts) -> _Counts:
    return {name: tuple(map(operator.sub, counts, before[name])) for name, counts in after.items()}


def _sum(now: _Counts, more: _Counts) -> _Counts:
    return {name: tuple(map(operator.add, counts, more[name])) for name, counts in now.items()}
