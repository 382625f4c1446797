"""From a gradient to pulses, by way of an optimizer that never sees a weight."""

from typing import Any

import torch

from analogff.device import Sealed, SharedInputs, columns_of, gradient, reads_of, rows_of
from analogff.learning.adam import Adam
from analogff.learning.momentum import Momentum
from analogff.support.state import restore, state_of
from analogff.system import Work, work
from analogff.writes.digital import Digital
from analogff.writes.write import ArrayWrite, ChangeWrite


class PulseOptimizer:
    """An optimizer for weights that nobody can read.

    What one write cannot do is not asked for: a change is cut to what the datasheet prints as the greatest, so that
    whoever keeps a record of changes, such as a twin, is told of what can land. `move` takes as many writes as it
    needs.

    Args:
        layer: Where to write.
        learning_rate: Learning rate.
        update_decay: What share of all changes asked so far is taken back at each step, over the rate.
        momentum: Of gradient descent; None for Adam.
        write: How the layer is written; digital by default.
    """

    state_names = ("moments", "write")

    def __init__(
        self,
        layer: Sealed,
        learning_rate: float,
        update_decay: float = 0.0,
        momentum: float | None = None,
        write: ChangeWrite | ArrayWrite | None = None,
    ):
        self.layer, self._windows = layer, layer.datasheet.windows
        self.learning_rate = learning_rate
        self.update_decay = update_decay
        self.momentum = momentum
        self.write = write or Digital(layer)
        """What lands a step."""
        self._shape = (layer.chips, *layer.datasheet.weight_shape)
        self._most = _greatest_change(layer)
        self._fade = 1.0
        self.share: torch.Tensor | None = None
        """Of the rate that each chip takes, ``(chips, 1, 1)``; None for all of it."""
        self.prepared = False
        """Whether the next step was begun."""
        self.moments: Adam | Momentum | None = None
        """Made when the first step comes, since layers may never learn."""
        self._gradient: torch.Tensor | None = None

    def descend(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs) -> None:
        """Ask the chip for one step down ``sum_b e_bj x_bi``; see `gradient`. Some writes form it in the array."""
        if isinstance(self.write, ArrayWrite):
            self.write.descend(*self._of_array(errors, x), self.rate)
        else:
            self.step(self._descent(errors, x))

    def told(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        """As `descend`, for whoever keeps a model of the weights; what a write leaves unknown is computed for it.

        Returns:
            The change that was asked for, or that is expected; valid until the next step.
        """
        if isinstance(self.write, ArrayWrite):
            return self.write.told(*self._of_array(errors, x), self.rate)
        return self.step(self._descent(errors, x))

    def wanted(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        """Return the change that one optimizer step is, however much of it one write can do, without asking for it."""
        return self._step(self._descent(errors, x), cut=False)

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        """Ask the chip for one optimizer step down a gradient, ``(chips, n_out, n_in)``; see `descend`."""
        if isinstance(self.write, ArrayWrite):
            return self.write.step(gradient, self.rate)
        return self.write.write(self._step(gradient), self.rate)

    def move(self, change: torch.Tensor) -> None:
        """Ask the chip for a change, ``(chips, n_out, n_in)``, whole: in equal parts, where one write cannot do it.

        Chips that need fewer parts than others are asked for nothing in the last ones.
        """
        if self._most is None:
            return self.layer.pulse(change)
        size = change.abs().amax((1, 2), keepdim=True).nan_to_num()
        parts = (size / self._most).ceil().clamp(min=1)
        share, fewest = change / parts, int(parts.min())
        for part in range(int(parts.max())):
            self.layer.pulse(share if part < fewest else torch.where(part < parts, share, 0.0))

    @property
    def rate(self) -> torch.Tensor | float:
        """The learning rate as it is now, or each chip's, ``(chips, 1, 1)``."""
        rate = self.learning_rate * self._fade
        return rate if self.share is None else rate * self.share

    @property
    def can_be_recorded(self) -> bool:
        """Whether a CUDA graph may hold its steps."""
        return isinstance(self.write, Digital)

    @property
    def more_bytes(self) -> int:
        """Memory of the write beyond Adam's registers, which `Rule.kept_bytes` counts; negative where it needs none."""
        cells = self._shape[1] * self._shape[2]
        return self.write.kept_bytes - (work.adam_bytes(cells) if isinstance(self.write, ArrayWrite) else 0)

    def fade(self, factor: float) -> None:
        """Scale the learning rate."""
        self._fade = factor

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_of` gave."""
        self.moments = None if state["moments"] is None else self._make_moments()
        restore(self, {"write": state_of(self.write)} | state)  # chips kept by version 5 have none

    def prepare(self) -> None:
        """Begin the next step; whoever replays a recorded one does so before, since the rate is not recorded."""
        self.moments = self.moments or self._make_moments()
        self.moments.prepare(self.learning_rate * self._fade)
        self.prepared = True

    def _make_moments(self) -> Adam | Momentum:
        device = self.layer.torch_device
        if self.momentum is None:
            return Adam(self._shape, device, self.update_decay)
        return Momentum(self._shape, device, self.momentum, self.update_decay)

    def _descent(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        if self._gradient is None:
            self._gradient = errors.new_empty(self._shape)
        self.layer.compute(*_outer_work(x, self._shape, reads_of(self._windows)))
        return gradient(errors, x, self._windows, self._gradient)

    def _of_array(
        self, errors: torch.Tensor, x: torch.Tensor | SharedInputs
    ) -> tuple[torch.Tensor, torch.Tensor | SharedInputs]:
        """Return errors and inputs of each read of the array."""
        return columns_of(errors, self._windows), rows_of(x, self._windows)

    def _step(self, gradient: torch.Tensor, cut: bool = True) -> torch.Tensor:
        if not self.prepared:
            self.prepare()
        self.prepared = False
        assert self.moments is not None
        cells, decay = self._shape[1] * self._shape[2], bool(self.update_decay)
        if self.momentum is None:
            self.layer.compute(*work.adam(cells, decay=decay))
        else:
            self.layer.compute(*work.momentum(cells, velocity=bool(self.momentum), decay=decay))
        return self.moments.apply(gradient, self.share, self._most if cut else None)


def _greatest_change(layer: Sealed) -> torch.Tensor | None:
    """Return what one write can do at most, ``(chips or 1, 1, 1)``; None without a limit."""
    most = layer.datasheet.change_max
    if most is None:
        return None
    return torch.as_tensor(most, dtype=torch.float32, device=layer.torch_device).reshape(-1, 1, 1)


def _outer_work(x: torch.Tensor | SharedInputs, shape: tuple[int, int, int], positions: int) -> Work:
    _, n_out, n_in = shape
    if not isinstance(x, SharedInputs):
        return work.outer(x.shape[1] * positions, n_in, n_out)
    _, variants, batch, lines = x.marks.shape
    return work.shared_outer(batch * positions, variants, lines, n_in, n_out)
