"""From counts and datasheets to time and energy."""

from collections.abc import Sequence

import numpy as np
import torch

from analogff.device.datasheet import Datasheet, PerChip
from analogff.device.ledger import Count
from analogff.timing.pipeline import Schedule, Stage, simulate


def cost(
    sheets: Sequence[Datasheet], counts: Sequence[Count], schedule: Schedule, chips: int
) -> tuple[np.ndarray, np.ndarray]:
    r"""Turn what each layer was asked to do into hardware time and energy.

    .. math::
        t_\text{read} = t_\text{DAC} + t_\text{settle} + \text{share} \cdot t_\text{ADC}, \quad
        t_\text{write} = t_\text{pulse} \cdot \text{pulses} / \text{parallel pulses}

        E = \text{reads} (E_\text{read} + n_\text{DAC} E_\text{DAC} + n_\text{ADC} E_\text{ADC})
            + \text{pulses} \cdot E_\text{pulse}

    A step is one update of the layer that is updated most. Reads and pulses are spread evenly over the steps
    as real numbers, and a layer that reads more often than another (a probe, several candidate labels) holds
    each vector so much longer; both keep every layer's total busy time exact. Time that the chip was told to
    wait is not work and not counted.

    Args:
        sheets: The datasheet of each layer, in the order of the signal.
        counts: What each layer did, in the same order.
        schedule: How the rule lets layers overlap.
        chips: Chips in the bank.

    Returns:
        Seconds and joules of each chip, both ``(chips,)`` float64.

    Raises:
        ValueError: If the schedule is unknown, or is ``inference`` and there were writes.
    """
    _refuse_writes(counts, schedule)
    steps = max([count.writes for count in counts] + [0]) or 1
    pulses = np.stack([_per_chip(count.pulses, chips) for count in counts])
    joules = sum(_joules(s, c, p, chips) for s, c, p in zip(sheets, counts, pulses, strict=True))
    reads = [count.reads / steps for count in counts]
    vectors = max(1.0, min([r for r in reads if r > 0], default=1.0))
    read_seconds = [_read_seconds(s) * r / vectors for s, r in zip(sheets, reads, strict=True)]
    rates = np.array([sheet.pulse_seconds / sheet.parallel_pulses for sheet in sheets])
    write_seconds = rates[:, None] * pulses / steps
    different, which = np.unique(write_seconds, axis=1, return_inverse=True)
    seconds = [
        simulate([*map(Stage, read_seconds, writes)], schedule, steps=steps, reads_per_step=vectors)
        for writes in different.T.tolist()
    ]
    return np.array(seconds)[which.ravel()], np.asarray(joules, dtype=np.float64)


def _per_chip(value: PerChip, chips: int) -> np.ndarray:
    """Return a float64 number for each chip."""
    values = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
    return np.broadcast_to(np.asarray(values, dtype=np.float64).reshape(-1), (chips,))


def _read_seconds(sheet: Datasheet) -> float:
    return sheet.dac_seconds + sheet.settle_seconds + sheet.adc_share * sheet.adc_seconds


def _joules(sheet: Datasheet, count: Count, pulses: np.ndarray, chips: int) -> np.ndarray:
    """Return counts times unit energies of one layer, ``(chips,)``."""
    read, dac, adc, pulse = (
        _per_chip(unit, chips) for unit in (sheet.read_joules, sheet.dac_joules, sheet.adc_joules, sheet.pulse_joules)
    )
    dacs, adcs = sheet.conversions
    return count.reads * (read + dacs * dac + adcs * adc) + pulses * pulse


def _refuse_writes(counts: Sequence[Count], schedule: Schedule) -> None:
    writes = sum(count.writes for count in counts)
    if schedule == "inference" and writes:
        raise ValueError(
            f"Expected an inference schedule without writes. Got {writes} of them. Give the rule a schedule "
            "that says when it writes."
        )
