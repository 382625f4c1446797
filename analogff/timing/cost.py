"""From counts and datasheets to time and energy."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from analogff.device.datasheet import Datasheet, PerChip
from analogff.device.ledger import Count
from analogff.timing.pipeline import Stage
from analogff.timing.schedules import Schedule
from analogff.timing.simulate import simulate


def cost(
    sheets: Sequence[Datasheet],
    counts: Sequence[Count],
    schedule: Schedule,
    chips: int,
    further: Sequence[Sequence[tuple[Datasheet, Count]]] = (),
) -> tuple[np.ndarray, np.ndarray]:
    r"""Convert the ledger of each layer to hardware time and energy.

    .. math::
        t_\text{read} = t_\text{DAC} + t_\text{settle} + \text{share} \cdot t_\text{ADC}, \quad
        t_\text{write} = t_\text{pulse} \left(\text{pulses} / \text{parallel pulses} + \text{slots}\right)

        E = \text{reads} (E_\text{read} + n_\text{DAC} E_\text{DAC} + n_\text{ADC} E_\text{ADC})
            + \sum_\text{reads} \langle x^2 \rangle E_\text{signal} + \text{pulses} \cdot E_\text{pulse}

    with slots of pulse trains, whose pulses fall in all cells at once and take no other time.

    A step is one update of the layer that is updated most. Reads and pulses are spread evenly over the steps
    as real numbers, and a layer that reads more often than another (a probe, several labels, an image in pieces) holds
    each vector so much longer; both keep every layer's total busy time exact. Time that the chip was told to
    wait is not work and not counted.

    Args:
        sheets: The datasheet of each layer, in the order of the signal.
        counts: What each layer did, in the same order.
        schedule: How the rule lets layers overlap.
        chips: Chips in the bank.
        further: Of each layer, arrays beside it that its writes use: their reads and writes are part of a write.

    Returns:
        Seconds and joules of each chip, both ``(chips,)`` float64.

    Raises:
        ValueError: If there were writes for which the schedule has no time.
    """
    writes = np.stack([_per_chip(count.writes, chips) for count in counts])
    writing = np.stack([_write_seconds(sheet, count, chips) for sheet, count in zip(sheets, counts, strict=True)])
    for layer, own in enumerate(further):
        writes[layer] = np.max([writes[layer], *(_per_chip(count.writes, chips) for _, count in own)], axis=0)
        writing[layer] += sum(_write_seconds(*pair, chips) + _read_seconds(pair[0]) * pair[1].reads for pair in own)
    _refuse_writes(int(writes.max(1).sum()), schedule)
    pairs = [*zip(sheets, counts, strict=True), *(pair for own in further for pair in own)]
    joules = sum(sum(layer_joules(sheet, count, chips)) for sheet, count in pairs)
    steps = writes.max(0).clip(min=1)
    apart, which = np.unique(np.vstack([steps, writing / steps]), axis=1, return_inverse=True)
    seconds = [_seconds(sheets, counts, schedule, int(n), each) for n, *each in apart.T.tolist()]
    return np.array(seconds)[which.ravel()], np.asarray(joules, dtype=np.float64)


def _seconds(
    sheets: Sequence[Datasheet], counts: Sequence[Count], schedule: Schedule, steps: int, write_seconds: Sequence[float]
) -> float:
    """Return the time of one chip that takes so many steps, in each of which a layer writes so long."""
    reads = [count.reads / steps for count in counts]
    sent = [r / sheet.reads_per_vector for sheet, r in zip(sheets, reads, strict=True) if r > 0]
    vectors = max(1.0, min(sent, default=1.0))
    read_seconds = [_read_seconds(s) * r / vectors for s, r in zip(sheets, reads, strict=True)]
    return simulate([*map(Stage, read_seconds, write_seconds)], schedule, steps=steps, reads_per_step=vectors)


def _write_seconds(sheet: Datasheet, count: Count, chips: int) -> np.ndarray:
    """Return the time of all writes of a layer, ``(chips,)``."""
    in_turn = _per_chip(count.pulses, chips) - _per_chip(count.train_pulses, chips)
    return sheet.pulse_seconds * (in_turn / sheet.parallel_pulses + count.train_slots)


def _per_chip(value: PerChip, chips: int) -> np.ndarray:
    """Return a float64 number for each chip."""
    values = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
    return np.broadcast_to(np.asarray(values, dtype=np.float64).reshape(-1), (chips,))


def _read_seconds(sheet: Datasheet) -> float:
    return sheet.dac_seconds + sheet.settle_seconds + sheet.adc_share * sheet.adc_seconds


class LayerJoules(NamedTuple):
    """Energy of one layer by component, each ``(chips,)`` float64."""

    reads: np.ndarray
    """Of the array and the neurons."""
    conversions: np.ndarray
    """Of DACs and ADCs."""
    pulses: np.ndarray
    """Of writes."""


def layer_joules(sheet: Datasheet, count: Count, chips: int) -> LayerJoules:
    """Return counts times unit energies of one layer."""
    names = ("read_joules", "signal_joules", "dac_joules", "adc_joules", "pulse_joules")
    read, signal, dac, adc, pulse = (_per_chip(getattr(sheet, name), chips) for name in names)
    dacs, adcs = sheet.conversions
    carried = _per_chip(count.mean_squares, chips)
    conversions = count.reads * (dacs * dac + adcs * adc)
    return LayerJoules(count.reads * read + carried * signal, conversions, _per_chip(count.pulses, chips) * pulse)


def _refuse_writes(writes: int, schedule: Schedule) -> None:
    if writes and not schedule.writes:
        raise ValueError(
            f"Expected no writes under {type(schedule).__name__}. Got {writes} of them. Give the rule a schedule "
            "that says when it writes."
        )
