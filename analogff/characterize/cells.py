"""Single cells from outside: their weights by nulls, and pulses of a known number of steps."""

import dataclasses

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import NotMeasurableError
from analogff.characterize.nulls import null_biases
from analogff.characterize.survey import Crossing

TYPICAL_ASK = 0.1
"""Change, in typical weights ``1/sqrt(n_in)``, that a train of pulses should make."""
TRIED = 0
"""Input line whose cells `find_pulses` wears."""
_FACTORS = (1.0, 0.25, 0.0625, 4.0, 16.0)
_COUNTABLE = (1.5, 20.0)
_LONGEST = 16
_FILLED = 0.7  # share of the free range for the greatest weight: cells may exceed the nominal range
_GREATEST = 4.0  # expected bound of a cell, in typical weights


@dataclasses.dataclass(frozen=True)
class Pulses:
    """The request that gives a train of elementary pulses."""

    step: float
    """Requested change that spends one step a cell."""
    train: int
    """Steps of a train that moves cells by about `TYPICAL_ASK`."""

    @property
    def ask(self) -> float:
        """Change to request."""
        return self.step * self.train


def find_pulses(bench: Bench) -> Pulses:
    """Request changes of several sizes and count their steps.

    Only the cells of the line `TRIED` are pulsed. If up and down differ, reverting a change does not restore the
    fabricated state and its step.
    """
    bench.need_weights()
    typical = TYPICAL_ASK * bench.sheet.n_in**-0.5
    only = np.zeros((bench.sheet.n_out, bench.sheet.n_in))
    only[:, TRIED] = 1.0
    counts = {}
    for factor in _FACTORS:
        ask = typical * factor
        spent = float(np.mean(bench.pulse(ask * only) + bench.pulse(-ask * only))) / 2
        counts[ask] = spent / bench.sheet.n_out
        if _COUNTABLE[0] < counts[ask] < _COUNTABLE[1]:
            break
    if not any(counts.values()):
        raise NotMeasurableError("no requested change spent a pulse")
    if len({round(count, 9) for count in counts.values()}) == 1 and len(counts) > 1:
        return Pulses(typical, 1)  # the device counts requests, not steps
    ask = next((a for a, n in counts.items() if _COUNTABLE[0] < n < _COUNTABLE[1]), max(counts, key=lambda a: a))
    step = ask / counts[ask]
    return Pulses(step, int(np.clip(round(typical / step), 1, _LONGEST)))


@dataclasses.dataclass(frozen=True)
class Probe:
    """Reading of single cells: one line on at a time, and a null."""

    crossing: Crossing
    """The level of the nulls."""
    size: float
    """Input of the line that is on."""

    @classmethod
    def of(cls, bench: Bench) -> "Probe":
        """Choose the input so that the greatest weight stays within the free range around the null."""
        bench.need_bias_port()
        crossing = bench.survey.middle()
        if np.isnan(crossing.at).any():
            raise NotMeasurableError("some neurons never pass half of their range")
        greatest = _GREATEST * bench.sheet.n_in**-0.5
        if bench.sheet.weight_max is not None:
            greatest = max(greatest, float(np.max(np.asarray(bench.sheet.weight_max))))
        return cls(crossing, bench.input_of(_FILLED * float(crossing.room.min()) / greatest))

    def nulls(self, bench: Bench) -> np.ndarray:
        """Return minus every weight plus a constant for each neuron, ``(repeats, chips, n_in, n_out)``."""
        return null_biases(bench, self.size * np.eye(bench.sheet.n_in), self.crossing) / self.size

    def weights(self, bench: Bench) -> np.ndarray:
        """Return every weight, ``(repeats, chips, n_in, n_out)``."""
        silent = np.zeros((1, bench.sheet.n_in))
        zero = np.mean([null_biases(bench, silent, self.crossing) for _ in range(4)], axis=0)
        return zero / self.size - self.nulls(bench)
