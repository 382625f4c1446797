"""Tiki-Taka: a fast array whose columns are written onto the layer."""

import torch
from typing_extensions import override

from analogff.device import Sealed
from analogff.system import WORD_BYTES
from analogff.writes.fast_array import FastArray, Reference, transfer_work
from analogff.writes.options import WriteOptions

FORGOTTEN = 0.1
"""What is left of a buffer that asked for a pulse; as in aihwkit."""


class TikiTaka(FastArray):
    r"""Tiki-Taka: the readings themselves are written, ``asked = lambda (A - R)``.

    Args:
        layer: As `FastArray`.
        fast: As `FastArray`.
        options: As `FastArray`.
        seed: As `FastArray`.
        reference: Whether the symmetry points ``R`` of the fast array are measured and subtracted.

    Reference:
        Gokmen and Haensch, Frontiers in Neuroscience 14, 103 (2020); ``gamma = 0``, as in aihwkit.
    """

    state_names = ("reference",)

    def __init__(self, layer: Sealed, fast: Sealed, options: WriteOptions, seed: int, reference: bool):
        super().__init__(layer, fast, options, seed)
        self.reference = Reference(self, reference)

    @property
    @override
    def kept_bytes(self):
        return self.reference.kept_bytes

    @override
    def descend(self, errors, x, rate):
        self.reference.find()
        super().descend(errors, x, rate)

    @override
    def told(self, errors, x, rate):
        self.reference.find()
        return super().told(errors, x, rate)

    @override
    def step(self, gradient, rate):
        self.reference.find()
        return super().step(gradient, rate)

    @override
    def asked(self, readings, lines, rate):
        self.layer.compute(*transfer_work(len(lines), readings.shape[1], operations=2, registers=0))
        return rate * (readings - self.reference.of(lines))


class TikiTaka2(TikiTaka):
    r"""Tiki-Taka version 2: readings gather in a digital buffer ``H``, and a pulse is asked where it holds one.

    .. math::
        H \leftarrow H + \lambda s (A - R), \qquad
        \text{where } |H| \ge d: \quad \mathrm{asked} = d\, \mathrm{sign}(H), \quad H \leftarrow 0.1 H

    With a probability of ``chop`` the sign of a line flips after it was read (c-TTv2), so that an offset of the
    readings does not add up.

    Args:
        layer: As `TikiTaka`.
        fast: As `TikiTaka`.
        options: As `TikiTaka`.
        seed: As `TikiTaka`.
        reference: As `TikiTaka`.
        chop: Probability that a sign flips.

    Reference:
        Gokmen, Frontiers in Artificial Intelligence 4, 699148 (2021); choppers: Rasch et al., Nature Communications
        15, 7133 (2024).
    """

    state_names = ("buffer",)

    def __init__(self, layer: Sealed, fast: Sealed, options: WriteOptions, seed: int, reference: bool, chop: float):
        super().__init__(layer, fast, options, seed, reference)
        self.chop = chop
        self.buffer = torch.zeros(layer.chips, *layer.datasheet.weight_shape, device=layer.torch_device)
        """``H``."""

    @property
    @override
    def kept_bytes(self):
        return super().kept_bytes + WORD_BYTES * self.cells

    @override
    def asked(self, readings, lines, rate):
        self.layer.compute(*transfer_work(len(lines), readings.shape[1], operations=4, registers=1))
        change = gathered(
            self.buffer, lines, rate * self.signs[lines] * (readings - self.reference.of(lines)), self.pulse_size
        )
        if self.chop:
            flips = torch.rand(len(lines), generator=self.generators.generator) < self.chop
            self.signs[lines] *= torch.where(flips, -1.0, 1.0).to(self.signs.device)
        return change


def gathered(buffer: torch.Tensor, lines: torch.Tensor, more: torch.Tensor, pulse: torch.Tensor) -> torch.Tensor:
    """Add to columns of a buffer, in place, and return the pulses that it asks for, ``(chips, n_out, lines)``."""
    held = buffer[..., lines] + more
    full = held.abs() >= pulse
    buffer[..., lines] = torch.where(full, FORGOTTEN * held, held)
    return torch.where(full, held.sign() * pulse, 0.0)
