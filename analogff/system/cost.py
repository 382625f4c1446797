"""From counts, datasheets and digital work to the whole system's energy and time."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analogff.device.datasheet import Datasheet
from analogff.device.ledger import Count
from analogff.system.prices import Prices
from analogff.system.work import WORD_BYTES, Work
from analogff.timing.cost import layer_joules


class Joules(NamedTuple):
    """Energy of the system by component, each ``(chips,)`` float64."""

    chip: np.ndarray
    """Arrays and neurons, in reads."""
    converters: np.ndarray
    """DACs and ADCs."""
    writes: np.ndarray
    """Pulses."""
    digital: np.ndarray
    """Multiply-accumulates outside of the chips, those of digital layers included."""
    memory: np.ndarray
    """Traffic between memory and digital logic."""

    @property
    def total(self) -> np.ndarray:
        """The energy of the whole system."""
        return np.sum(self, axis=0)


class SystemCost(NamedTuple):
    """What a training took, chips and all that stands around them; each ``(chips,)`` float64."""

    digital_macs: np.ndarray
    """Multiply-accumulates outside of the chips."""
    digital_bytes: np.ndarray
    """Bytes moved."""
    kept_bytes: np.ndarray
    """Most memory needed at a time."""
    joules: Joules
    """Energy by component."""
    seconds: np.ndarray
    """Time: the chips', then the digital logic's."""


def system_cost(
    sheets: Sequence[Datasheet],
    counts: Sequence[Count],
    work: Work,
    kept_bytes: float,
    device_seconds: np.ndarray,
    prices: Prices,
) -> SystemCost:
    r"""Price what chips and digital logic did.

    .. math::
        E = E_\text{chip} + E_\text{converters} + E_\text{writes} + N_\text{MAC} E_\text{MAC} + N_\text{byte}
            E_\text{byte}, \qquad
        t = t_\text{device} + \max\left(\frac{N_\text{MAC}}{r_\text{MAC}}, \frac{N_\text{byte}}{r_\text{byte}}\right)

    A layer of digital weights is digital logic: each read is ``n_in n_out`` multiply-accumulates, and each changed
    weight is one. Its vectors are moved at each read, its matrix twice at each update, and the matrix is kept. What
    stands behind such weights has converters; its reads and conversions are a chip's. Chips and logic work one after
    the other; logic and memory side by side.

    Args:
        sheets: The datasheet of each layer.
        counts: What each layer did, in the same order.
        work: What the rule did in digital, beside one chip.
        kept_bytes: Most memory that it needed at a time.
        device_seconds: Hardware time of the chips, ``(chips,)``; see `analogff.timing.cost`.
        prices: Of digital work.
    """
    chips = len(device_seconds)
    chip, converters, writes = (np.zeros(chips) for _ in range(3))
    for sheet, count in zip(sheets, counts, strict=True):
        own = layer_joules(sheet, count, chips)
        if not sheet.readable_weights:
            writes = writes + own.pulses
        if not sheet.all_digital:
            chip, converters = chip + own.reads, converters + own.conversions
    layers = [(s, c) for s, c in zip(sheets, counts, strict=True) if s.readable_weights]
    done = (c.reads * math.prod(s.weight_shape) + _numbers(c.pulses, chips) for s, c in layers)
    macs = work.macs + sum(done, np.zeros(chips))
    moved = work.moved_bytes + sum((_layer_bytes(s, c, chips) for s, c in layers), np.zeros(chips))
    kept = np.full(chips, kept_bytes + WORD_BYTES * sum(math.prod(s.weight_shape) for s, _ in layers))
    digital, memory, seconds = digital_cost(macs, moved, kept, prices)
    return SystemCost(macs, moved, kept, Joules(chip, converters, writes, digital, memory), device_seconds + seconds)


def digital_cost(
    macs: np.ndarray, moved_bytes: np.ndarray, kept_bytes: np.ndarray, prices: Prices
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Price digital work; see `system_cost`.

    Returns:
        The energy of logic, the energy of memory, and the time of both.
    """
    memory = moved_bytes * np.vectorize(prices.byte_joules, otypes=[float])(kept_bytes)
    seconds = np.maximum(macs / prices.macs_per_second, moved_bytes / prices.bytes_per_second)
    return macs * prices.mac_joules, memory, seconds


def _layer_bytes(sheet: Datasheet, count: Count, chips: int) -> np.ndarray:
    vectors = count.reads * sum(sheet.weight_shape)
    return WORD_BYTES * (vectors + 2 * _numbers(count.writes, chips) * math.prod(sheet.weight_shape))


def _numbers(counted: object, chips: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(counted, dtype=np.float64).reshape(-1), (chips,))
