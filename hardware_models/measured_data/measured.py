"""Measured data as a device: a CSV of curves of neurons, or of pulses on cells."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Gt
from typing_extensions import override

from analogff.device import ContractError, Device, PerChip
from hardware_models.array.declare import takes_fields
from hardware_models.array.parameters import NonNegative
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.array.wire_limits import check_wires
from hardware_models.measured_data.cells import MeasuredCells
from hardware_models.measured_data.header import has_pulses
from hardware_models.measured_data.measured_curves import read_curves
from hardware_models.measured_data.neurons import MeasuredNeurons
from hardware_models.measured_data.pulses import read_pulses
from hardware_models.measured_data.scale import scale_of
from hardware_models.measured_data.table import Table, read_table

WEIGHT_MAX = 4.0
"""Weight at the end of the range of cells where none is told, in typical weights; as of the other arrays."""
PROGRAM_NOISE = 0.5
"""Error of programming measured cells where none is told, in steps; as of the other arrays that learn by pulses."""


@takes_fields(Periphery, "periphery", {}, without=("family",))
class Measured(Device):
    r"""Neurons or cells as a CSV has them.

    .. math::
        \text{curves:}\quad y_j = f_{c_j}(W q + b) + \sigma(y_j)\, \xi, \qquad
        \text{pulses:}\quad w \to w \pm d^\pm_{c_{ji}}(w) + \sigma^\pm(w)\, \xi

    The header of the file tells which: ``input,output``, or a pair with units such as ``input_volts,output_amperes``,
    is a curve of neurons, behind cells whose pulses land as asked; ``pulse,conductance_siemens`` are cells, in front of
    neurons of a family.
    A column ``neuron``, ``device`` or ``cell`` tells measured copies apart: each neuron or cell of a chip is one of
    them, drawn by the chip's seed. Samples of a neuron at one input are its noise, by level; what differs from a
    cell's mean steps is its noise from pulse to pulse.

    Curves are monotone where the data are, and exact at their points. They are known between the first and the last
    input. The drivers of the neurons end there too, as a converter does at its full scale. Drivers that reach farther
    are refused. Cells end at the least and greatest conductance that they showed.

    Units:
        An input without a unit is a weighted sum. With a unit, a sum of 4 is ``input_full_scale``. Outputs with a unit
        count as 1 at ``output_full_scale``. The weight 0 is the middle of the mean range of conductances.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        file: The CSV; in a study, as seen from the study file.
        input_zero: Input of a neuron at a sum of 0, in the unit of the file; 0 if none is given.
        input_full_scale: How far from there the drivers reach, in the unit of the file; as far as the data if none is.
        output_full_scale: Full scale of the output converters, in the unit of the file; that of the data if none is.
            Where outputs have both signs, codes are of two's complement: 0 has one, and the last ends a step below it.
        outside: Where drivers are told to reach beyond the data: ``error`` refuses, ``hold`` stays at the last value.
        measured_noise: Noise in units of the measured one, which is 1 if none is given: that of samples, or of pulses.
        family: Curve of the neurons behind measured cells; ``relu`` if none is given.
        weight_max: Weight at the end of the mean range of measured cells, in units of the typical weight
            ``1/sqrt(n_in)``; 4 if none is given.
        program_noise: Error that write-and-verify leaves: in measured cells 0.5 steps if none is given (assumed), in
            those behind measured neurons 0.1 typical weights, as in `unknown`.
        verify_pulses: Pulses that write-and-verify is counted for on a cell behind measured neurons; 8 if none is given
            (assumed).

    Reference:
        The file. Interpolation: Fritsch and Carlson, SIAM J. Numer. Anal. 17, 238 (1980).
    """

    banked = True

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        file: Path,
        input_zero: float | None = None,
        input_full_scale: Annotated[float | None, Gt(0)] = None,
        output_full_scale: Annotated[float | None, Gt(0)] = None,
        outside: Literal["error", "hold"] = "error",
        measured_noise: NonNegative | None = None,
        family: Literal["saturating", "softplus", "exponential", "sigmoid", "non-monotone", "relu"] | None = None,
        weight_max: Annotated[PerChip | None, Gt(0)] = None,
        program_noise: NonNegative | None = None,
        verify_pulses: Annotated[PerChip | None, Ge(1)] = None,
    ):
        table = read_table(Path(file))
        around: dict[str, Any] = dict(seed=seed, periphery=periphery)
        of_curves: dict[str, Any] = dict(
            input_zero=input_zero, input_full_scale=input_full_scale, output_full_scale=output_full_scale
        )
        noise: dict[str, Any] = dict(program_noise=program_noise, measured_noise=measured_noise)
        if has_pulses(table):
            idle = of_curves | dict(outside=None if outside == "error" else outside, verify_pulses=verify_pulses)
            _refuse_idle("curves", "pulses", **idle)
            chip = _cells(n_in, n_out, table, **around, family=family, weight_max=weight_max, **noise)
        else:
            _refuse_idle("pulses", "curves", family=family, weight_max=weight_max)
            scale = of_curves | dict(outside=outside)
            chip = _neurons(n_in, n_out, table, **around, scale=scale, verify_pulses=verify_pulses, **noise)
        super().__init__(n_in, n_out, datasheet=chip.datasheet)
        self.chip = chip

    @classmethod
    @override
    def check_size(cls, n_in, n_out, **parameters):
        check_wires(cls, n_in, n_out, parameters)

    def require_short_wires(self, n_in: int, n_out: int) -> None:
        """As that of a `Crossbar`."""
        self.chip.require_short_wires(n_in, n_out)

    @property
    def weights(self) -> torch.Tensor:
        """True weights, ``(chips, n_out, n_in)``; as those of every array, for who made the chip."""
        return self.chip.weights

    @override
    def measure(self, x, bias=None):
        return self.chip.measure(x, bias)

    @override
    def measure_marked(self, x, bias=None):
        return self.chip.measure_marked(x, bias)

    @override
    def measure_biased(self, x, biases):
        return self.chip.measure_biased(x, biases)

    @override
    def pulse(self, change):
        return self.chip.pulse(change)

    @override
    def program(self, weights):
        return self.chip.program(weights)

    @override
    def wait(self, seconds):
        self.chip.wait(seconds)

    @override
    def oracle(self, x, bias=None):
        return self.chip.oracle(x, bias)


def _cells(
    n_in: int,
    n_out: int,
    table: Table,
    *,
    seed: int | Sequence[int],
    periphery: Periphery,
    family: Any,
    weight_max: PerChip | None,
    program_noise: PerChip | None,
    measured_noise: PerChip | None,
) -> MeasuredCells:
    """Return cells as a table of pulses has them; None for what is not told."""
    return MeasuredCells(
        n_in,
        n_out,
        seed=seed,
        periphery=periphery if family is None else dataclasses.replace(periphery, family=family),
        pulses=read_pulses(table),
        weight_max=WEIGHT_MAX if weight_max is None else weight_max,
        program_noise=PROGRAM_NOISE if program_noise is None else program_noise,
        measured_noise=1.0 if measured_noise is None else measured_noise,
    )


def _neurons(
    n_in: int,
    n_out: int,
    table: Table,
    *,
    seed: int | Sequence[int],
    periphery: Periphery,
    scale: dict[str, Any],
    program_noise: PerChip | None,
    verify_pulses: PerChip | None,
    measured_noise: PerChip | None,
) -> MeasuredNeurons:
    """Return neurons as a table of curves has them; None for what is not told."""
    _refuse_digital(periphery)
    curves = read_curves(table)
    scaled = scale_of(curves, **scale)
    if measured_noise is not None and not len(curves.stds):
        raise table.refusal("several samples at one input beside measured_noise", "one each", "Remove it.")
    return MeasuredNeurons(
        n_in,
        n_out,
        seed=seed,
        periphery=periphery,
        programming=_programming(program_noise=program_noise, verify_pulses=verify_pulses),
        curves=curves,
        scale=scaled,
        measured_noise=1.0 if measured_noise is None else measured_noise,
    )


def _programming(**given: Any) -> Programming:
    return Programming(**{name: value for name, value in given.items() if value is not None})


def _refuse_idle(wanted: str, kind: str, **given: Any) -> None:
    """Refuse numbers that this kind of file has no use for."""
    for name, value in given.items():
        if value is not None:
            raise ContractError(f"Expected a file of {wanted} beside {name}. Got a file of {kind}. Remove {name}.")


def _refuse_digital(periphery: Periphery) -> None:
    """Refuse sums that are converted before the neurons, which would then be digital."""
    if periphery.digital:
        given = "bit_serial" if periphery.bit_serial else "rows_per_tile"
        raise ContractError(
            f"Expected analog sums in front of measured neurons. Got {given}, which converts them. Remove {given}."
        )
