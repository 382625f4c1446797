"""Neurons that are a circuit, behind cells whose pulses land as asked."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from typing_extensions import override

from analogff.device import ContractError, Device, PerChip
from hardware_models.array.declare import takes_fields
from hardware_models.array.periphery import SETTLE_SECONDS, Periphery
from hardware_models.array.programmed import ProgrammedArray, Programming, with_programming

TYPICAL_SIEMENS = 10e-6
"""Typical conductance behind a weight, for the energy of a read; as that of `hardware_models.generic.unknown`."""
NOT_OF_CIRCUITS = ("family", "bit_serial", "rows_per_tile", "sum_max")
"""Fields of `Periphery` that such a device does not have: its neuron is what its class says, and no number."""


def with_circuit_periphery(*without: str, **defaults: Any) -> Callable[[type[Device]], Any]:
    """As `hardware_models.array.periphery.with_periphery`, for a `NeuronArray`, which is made `with_programming` too.

    The kind of curve is left out, and so are sums that are converted in parts, since neurons behind those are digital.

    Args:
        without: Further fields of `Periphery` that this device does not have.
        defaults: What differs for this device from the defaults of `Periphery`.
    """
    around = takes_fields(Periphery, "periphery", defaults, without=(*NOT_OF_CIRCUITS, *without))
    return lambda model: around(with_programming()(model))


def for_all(**values: float) -> dict[str, Any]:
    """Return design values, which are one number for all chips of a bank, since they shape the printed curve.

    Raises:
        ContractError: If there is a tensor with one for each chip.
    """
    for name, value in values.items():
        if isinstance(value, torch.Tensor) and value.numel() != 1:
            raise ContractError(
                f"Expected {name} as one number, since it shapes the curve that is printed for all chips of a bank. "
                f"Got {value.tolist()}. Make a bank of each."
            )
    return {name: float(value) for name, value in values.items()}


def printed(law: Callable[..., torch.Tensor], **values: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a law of a weighted sum as a datasheet prints it: at these values of its keywords."""
    return functools.partial(law, **{name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()})


class NeuronArray(ProgrammedArray):
    r"""An array of cells, and neurons that are a circuit with numbers of their own.

    .. math::
        y = \mathrm{ADC}\left[f_j(g_j (W q + b) + o_j) + \sigma \xi'\right], \quad q = \mathrm{DAC}[x]

    A subclass overrides `_curve`, of which `oracle` takes the derivative, and where neurons have a noise of their own
    `_neuron_stages`. Weights start as ``N(0, 1/n_in)``. Cells are continuous and unbounded, and pulses land as asked,
    so that what is seen is what the neuron does. Only programming leaves an error: nothing copies weights exactly.

    Design values, such as a supply, are one number for all chips of a bank, and shape the printed curve. What differs
    in the making or in use, such as thresholds or a temperature, each chip may have for itself; the printed curve
    knows nothing of it.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        periphery: Converters and lines.
        programming: What write-and-verify leaves, and costs.
        neuron: The curve as printed, of a weighted sum, differentiable; None for nothing.
        output_max: Greatest output that its readout takes; the least is 0, or that of ``printed``.
        neuron_watts: Power of a neuron during a read.
        printed: Further fields of `Datasheet`.
        numbers: Numbers of each chip, kept as buffers of their names, ``(chips, 1, 1)``.
    """

    own_neurons = True

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        neuron: Callable[[torch.Tensor], torch.Tensor] | None,
        output_max: PerChip = 1.0,
        neuron_watts: PerChip = 0.0,
        printed: dict[str, Any] | None = None,
        **numbers: Any,
    ):
        sheet = periphery.datasheet(
            n_in,
            n_out,
            siemens=TYPICAL_SIEMENS,
            neuron=neuron,
            output_max=output_max,
            read_joules=n_out * SETTLE_SECONDS * neuron_watts,  # beside what signals dissipate in the array
            **(printed or {}),
        )
        super().__init__(
            n_in, n_out, seed=seed, datasheet=sheet, periphery=periphery, programming=programming, **numbers
        )

    @override
    def pulse(self, change):
        self.weights.add_(change)

    @override
    def circuit(self):
        return super().circuit()._replace(curve=self._curve(slice(None)))

    def _law(self, law: Callable[..., torch.Tensor], chips: slice, *names: str) -> Callable[..., torch.Tensor]:
        """Return a law of a weighted sum as a curve, with these chips' numbers of those names as keywords."""
        own = {name: self._buffers[name][chips] for name in names}  # type: ignore[index]
        return lambda a, _: law(a, **own)
