"""Between the units of a file and those of signals, where a weighted sum is typically 1."""

import dataclasses
from typing import Literal

import numpy as np

from analogff.device import ContractError
from hardware_models.measured_data.measured_curves import Curves

FULL_SUM = 4.0
"""The sum that is the full scale of an input with a unit; sums of a fresh chip have a spread of 1."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale:
    """What a weighted sum and an output are in the units of the file."""

    zero: float
    """Input at a sum of 0."""
    unit: float
    """Change of the input by a sum of 1."""
    low: float
    """Least input that the drivers put out, or that is told apart from lower ones."""
    high: float
    """Greatest, likewise."""
    output: float
    """Output that counts as 1."""
    converters: tuple[float, float]
    """Range of the output converters, in outputs as counted."""

    def sums(self, inputs: np.ndarray) -> np.ndarray:
        """Return the sums at which inputs of the file are reached."""
        return (inputs - self.zero) / self.unit


def scale_of(
    curves: Curves,
    *,
    input_zero: float | None,
    input_full_scale: float | None,
    output_full_scale: float | None,
    outside: Literal["error", "hold"],
) -> Scale:
    """Choose the scale of a neuron.

    Args:
        curves: As measured.
        input_zero: Input at a sum of 0; None for 0.
        input_full_scale: How far from there the drivers reach, upwards and, where the data go there, downwards; None
            for as far as the data. A sum of `FULL_SUM`; but inputs without a unit are sums themselves if it is None.
        output_full_scale: Full scale of the output converters, which counts as 1; None for that of the data, which
            counts as 1 where it has a unit.
        outside: What to do where the drivers reach beyond the data.

    Raises:
        ContractError: If they do, and it is an error, or if the data leave out the input at a sum of 0.
    """
    zero = input_zero or 0.0
    reach, low, high = _drivers(curves, zero, input_full_scale, outside)
    sums_themselves = input_full_scale is None and not curves.units[0]
    least, greatest = curves.outputs
    most = max(-least, greatest) if output_full_scale is None else output_full_scale
    if most == 0 or least == greatest:
        raise ContractError(
            f"Expected outputs that differ in {curves.file}. Got {least:g} everywhere. Check its columns and units."
        )
    one = 1.0 if output_full_scale is None and not curves.units[1] else most
    return Scale(
        zero=zero,
        unit=1.0 if sums_themselves else reach / FULL_SUM,
        low=low,
        high=high,
        output=one,
        converters=(-most / one if least < 0 else 0.0, most / one if greatest > 0 else 0.0),
    )


def _drivers(curves: Curves, zero: float, full_scale: float | None, outside: str) -> tuple[float, float, float]:
    """Return how far drivers reach from the input at a sum of 0, and the inputs between which they stay."""
    first, last = float(curves.breaks[0]), float(curves.breaks[-1])
    unit = curves.units[0]
    measured = f"{first:g} to {last:g} {unit}".rstrip()
    if not first <= zero <= last:
        raise ContractError(
            f"Expected curves through the input at a sum of zero, {zero:g} {unit}".rstrip()
            + f". Got {curves.file}, measured from {measured}. Give another input_zero, or measure there."
        )
    if full_scale is None:
        if outside == "hold":
            raise ContractError(
                "Expected input_full_scale beside outside = 'hold', since drivers otherwise end where the data end, "
                "and nothing lies outside. Got none. Give it, or remove outside."
            )
        return max(zero - first, last - zero), first, last
    low = zero - full_scale if first < zero else zero
    high = zero + full_scale if last > zero else zero
    rounding = 1e-9 * full_scale
    if outside == "error" and not (first - rounding <= low and high <= last + rounding):
        raise ContractError(
            f"Expected curves as far as the drivers reach, {low:g} to {high:g} {unit}".rstrip()
            + f". Got {curves.file}, measured from {measured}. Lower input_full_scale, measure further, or take "
            "outside = 'hold', which stays at the last measured value."
        )
    return full_scale, max(low, first), min(high, last)
