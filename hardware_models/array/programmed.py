"""Write-and-verify on an array of analog cells: what it leaves of the error, and what it costs."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any

import torch
from annotated_types import Ge
from typing_extensions import override

from analogff.device import Device, PerChip
from hardware_models.array.crossbar import Crossbar
from hardware_models.array.declare import takes_fields
from hardware_models.array.groups import cached_groups
from hardware_models.array.parameters import NonNegative
from hardware_models.kernels.streams import Stream


@dataclasses.dataclass(frozen=True, kw_only=True)
class Programming:
    """How weights are set absolutely; each field is a parameter of every device that is made `with_programming`."""

    program_noise: NonNegative = 0.1
    """Error that write-and-verify leaves of each weight, in units of the typical weight ``1/sqrt(n_in)``; 0.1 is that
    of phase-change cells at a quarter of their range (Joshi et al. 2020), 0 an exact copy."""
    verify_pulses: Annotated[PerChip, Ge(1)] = 8
    """Pulses that write-and-verify is counted for on a cell (assumed)."""


def with_programming() -> Callable[[type[Device]], Any]:
    """Let a device's constructor take every field of `Programming` beside its own arguments, as `with_periphery`."""
    return takes_fields(Programming, "programming", {})


class ProgrammedArray(Crossbar):
    """A crossbar whose weights are set by write-and-verify, so never exactly and never for nothing.

    A subclass overrides `pulse`, and `_settle` where its cells do not keep whatever they are set to.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        programming: What write-and-verify leaves, and costs.
        numbers: Those of `Crossbar`.
    """

    program_noise: torch.Tensor
    verify_pulses: torch.Tensor

    def __init__(self, n_in: int, n_out: int, *, programming: Programming, **numbers: Any):
        super().__init__(
            n_in,
            n_out,
            program_noise=programming.program_noise * n_in**-0.5,
            verify_pulses=programming.verify_pulses,
            **numbers,
        )

    @override
    def program(self, weights):
        for chips in cached_groups(weights):
            target, sigma = weights[chips].clone(), self.program_noise[chips]
            self.weights[chips] = self._add_write_noise(target, sigma, Stream.PROGRAM, chips)
            self._settle(chips, torch.ones_like(sigma))
        self.writes += 1
        return (self.verify_pulses.double().flatten() * weights[0].numel()).long()

    def _settle(self, chips: slice, asked: torch.Tensor) -> None:
        """Let the weights of these chips fall to where their cells can be; nothing for cells that can be anywhere.

        Args:
            chips: Which.
            asked: What was asked of them, or ones for all of them; a cell of which nothing was asked stays.
        """
