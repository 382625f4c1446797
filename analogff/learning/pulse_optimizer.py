"""From a gradient to pulses, by way of an optimizer that never sees a weight."""

from typing import Any

import torch

from analogff.device import Sealed, SharedInputs, outer
from analogff.learning.adam import Adam
from analogff.support.state import restore
from analogff.system import Work, work


class PulseOptimizer:
    """An optimizer for weights that nobody can read.

    What one write cannot do is not asked for: a change is cut to what the datasheet prints as the greatest, so that
    whoever keeps a record of changes, such as a twin, is told of what can land. `move` takes as many writes as it
    needs.

    Args:
        layer: Where to write.
        learning_rate: Learning rate of Adam.
        update_decay: What share of all changes asked so far is taken back at each step, over the rate.
    """

    state_names = ("adam",)

    def __init__(self, layer: Sealed, learning_rate: float, update_decay: float = 0.0):
        sheet = layer.datasheet
        self.layer = layer
        self.learning_rate = learning_rate
        self.update_decay = update_decay
        self._shape = (layer.chips, sheet.n_out, sheet.n_in)
        self._most = _greatest_change(layer)
        self._fade = 1.0
        self.share: torch.Tensor | None = None
        """Of the rate that each chip takes, ``(chips, 1, 1)``; None for all of it."""
        self.prepared = False
        """Whether the next step was begun."""
        self.adam: Adam | None = None
        """Made when the first step comes, since layers may never learn."""
        self._gradient: torch.Tensor | None = None

    def descend(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        """Ask the chip for one optimizer step down ``sum_b e_bj x_bi``; see `outer`.

        Returns:
            The change that was asked for; valid until the next step.
        """
        return self.step(self._descent(errors, x))

    def wanted(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        """Return the change that one optimizer step is, however much of it one write can do, without asking for it."""
        return self._step(self._descent(errors, x), cut=False)

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        """Ask the chip for one optimizer step down a gradient, ``(chips, n_out, n_in)``; see `descend`."""
        change = self._step(gradient)
        self.layer.pulse(change)
        return change

    def move(self, change: torch.Tensor) -> None:
        """Ask the chip for a change, ``(chips, n_out, n_in)``, whole: in equal parts, where one write cannot do it.

        Chips that need fewer parts than others are asked for nothing in the last ones.
        """
        if self._most is None:
            return self.layer.pulse(change)
        size = change.abs().amax((1, 2), keepdim=True).nan_to_num()
        parts = (size / self._most).ceil().clamp(min=1)
        share = change / parts
        for part in range(int(parts.max())):
            self.layer.pulse(torch.where(part < parts, share, 0.0))

    def fade(self, factor: float) -> None:
        """Scale the learning rate."""
        self._fade = factor

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_of` gave."""
        self.adam = None if state["adam"] is None else self._make_adam()
        restore(self, state)

    def prepare(self) -> None:
        """Begin the next step; whoever replays a recorded one does so before, since the rate is not recorded."""
        self.adam = self.adam or self._make_adam()
        self.adam.prepare(self.learning_rate * self._fade)
        self.prepared = True

    def _make_adam(self) -> Adam:
        return Adam(self._shape, self.layer.torch_device, self.update_decay)

    def _descent(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        if self._gradient is None:
            self._gradient = errors.new_empty(self._shape)
        self.layer.compute(*_outer_work(x, self._shape))
        return outer(errors, x, self._gradient)

    def _step(self, gradient: torch.Tensor, cut: bool = True) -> torch.Tensor:
        if not self.prepared:
            self.prepare()
        self.prepared = False
        assert self.adam is not None
        self.layer.compute(*work.adam(self._shape[1] * self._shape[2], decay=bool(self.update_decay)))
        return self.adam.apply(gradient, self.share, self._most if cut else None)


def _greatest_change(layer: Sealed) -> torch.Tensor | None:
    """Return what one write can do at most, ``(chips or 1, 1, 1)``; None without a limit."""
    most = layer.datasheet.change_max
    if most is None:
        return None
    return torch.as_tensor(most, dtype=torch.float32, device=layer.torch_device).reshape(-1, 1, 1)


def _outer_work(x: torch.Tensor | SharedInputs, shape: tuple[int, int, int]) -> Work:
    _, n_out, n_in = shape
    if not isinstance(x, SharedInputs):
        return work.outer(x.shape[1], n_in, n_out)
    _, variants, batch, lines = x.marks.shape
    return work.shared_outer(batch, variants, lines, n_in, n_out)
