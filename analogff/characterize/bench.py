"""Chips on a bench: reads, pulses and waits, and nothing else."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from analogff.characterize.estimate import NotMeasurableError
from analogff.characterize.survey import LEVELS, REACH, REPEATS, Survey, widen
from analogff.device import Sealed
from analogff.support.messages import in_words

_ROWS = 8192  # of one read, to bound memory


class Bench:
    """Sealed chips with a source of random stimuli.

    Args:
        chips: The chips to measure; sealed for probes if there is a bias port.
        seed: Seed of the stimuli.
    """

    def __init__(self, chips: Sealed, seed: int):
        self.chips, self.sheet = chips, chips.datasheet
        self.random = np.random.default_rng(seed)

    @property
    def count(self) -> int:
        """Number of chips."""
        return self.chips.chips

    @functools.cached_property
    def survey(self) -> Survey:
        """First survey of the neurons: a sweep of the bias with zero inputs, else of the size of all inputs.

        Later measurements find their operating points by it.
        """
        if self.sheet.bias_port:
            return widen(lambda reach: self._sweep(np.linspace(-reach, reach, LEVELS)))
        return self._sweep(np.linspace(0.0, self.input_of(REACH), LEVELS))

    def read(self, x: np.ndarray | None = None, bias: np.ndarray | None = None) -> np.ndarray:
        """Read rows one after the other.

        Args:
            x: Inputs ``(batch, n_in)`` or ``(1, n_in)``, the same for every chip; all lines zero if None.
            bias: ``(chips or 1, batch, n_out or 1)``.

        Returns:
            Outputs ``(chips, batch, n_out)``, float64.

        Raises:
            NotMeasurableError: If the device fails, as in all methods below.
        """
        x = np.zeros((1, self.sheet.n_in)) if x is None else x
        rows = max(len(x), 1 if bias is None else bias.shape[1])
        inputs = self._tensor(x).expand(rows, -1)
        answers = []
        for first in range(0, rows, _ROWS):
            some = inputs[first : first + _ROWS].expand(self.count, -1, -1)
            added = None if bias is None else self._tensor(bias[:, first : first + _ROWS])
            answers.append(self._ask(self.chips.measure, some, added).cpu().double().numpy())
        y = np.concatenate(answers, axis=1)
        if not np.isfinite(y).all():
            raise NotMeasurableError("some outputs are not finite numbers")
        return y

    def pulse(self, change: np.ndarray | float) -> np.ndarray:
        """Request a change of every chip's weights, ``(n_out, n_in)`` or one number.

        Returns:
            Elementary write steps a chip spent, ``(chips,)``.
        """
        before = self._spent()
        wanted = np.broadcast_to(np.asarray(change, dtype=float), (self.count, self.sheet.n_out, self.sheet.n_in))
        self._ask(self.chips.pulse, self._tensor(wanted).contiguous())
        return self._spent() - before

    def wait(self, seconds: float) -> None:
        """Let hardware time pass."""
        self._ask(self.chips.wait, seconds)

    def input_of(self, size: float) -> float:
        """Return the greatest input up to a size that the nominal converters leave unchanged."""
        (low, high), bits = self._input_range, self.sheet.dac_bits
        size = size if high is None else min(size, high)
        if high is None or not isinstance(bits, int | float):
            return size
        step = (high - (low or 0.0)) / (2.0**bits - 1)
        return max(1, int(size / step)) * step

    def typical_inputs(self, rows: int) -> np.ndarray:
        """Draw inputs like those of a network: nonnegative, mean square 1."""
        x = np.abs(self.random.standard_normal((rows, self.sheet.n_in)))
        return np.clip(x, *self._input_range)

    @property
    def _input_range(self) -> tuple[float | None, float | None]:
        """Least and greatest input that all chips pass on."""
        low, high = self.sheet.input_min, self.sheet.input_max
        return (
            low.max().item() if isinstance(low, torch.Tensor) else low,
            high.min().item() if isinstance(high, torch.Tensor) else high,
        )

    def need_bias_port(self) -> None:
        """Refuse measurements that need a bias port.

        Raises:
            NotMeasurableError: If there is none.
        """
        if not self.sheet.bias_port:
            raise NotMeasurableError("there is no bias port, so that weighted sums have no unit")

    def need_weights(self) -> None:
        """Refuse measurements of weights that pulses move.

        Raises:
            NotMeasurableError: If the device has none of its own.
        """
        if self.sheet.readable_weights:
            raise NotMeasurableError("it has no weights of its own; those in front of it are digital")

    def _sweep(self, drive: np.ndarray) -> Survey:
        rows = np.tile(drive, REPEATS)
        if self.sheet.bias_port:
            y = self.read(bias=rows[None, :, None])
        else:
            y = self.read(rows[:, None] * np.ones(self.sheet.n_in))
        shaped = y.reshape(self.count, REPEATS, len(drive), -1).transpose(1, 0, 2, 3)
        return Survey(drive, shaped, self.sheet.bias_port)

    def _ask(self, verb: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return verb(*arguments)
        except Exception as error:  # a failing device may raise anything
            raise NotMeasurableError(f"the device failed: {in_words(error)}") from error

    def _spent(self) -> np.ndarray:
        spent = torch.as_tensor(self.chips.ledger[self.chips.name].pulses).cpu().double().numpy()
        return np.broadcast_to(spent, (self.count,)).copy()

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.chips.torch_device)
