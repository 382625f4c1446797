"""Weights as interference: two meshes of Mach-Zehnder interferometers with amplifiers between them."""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge, Le
from typing_extensions import override

from analogff.device import Device, PerChip
from hardware_models import kernels
from hardware_models.array.crossbar import Crossbar
from hardware_models.array.declare import takes_fields
from hardware_models.array.groups import chip_groups
from hardware_models.array.parameters import Bits, NonNegative, Positive, require_defined
from hardware_models.array.periphery import Periphery
from hardware_models.effects import interferometer
from hardware_models.kernels.streams import Stream

SHIFTER_WATTS = 25e-3
"""Mean power of a thermo-optic phase shifter, half a turn (Harris et al., Optics Express 22, 10487 (2014):
24.8 mW for pi)."""
SHIFTER_SECONDS = 10e-6
"""Time in which such a heater settles (typical; assumed)."""
LIGHT_SECONDS = 1e-9
"""Time of light through the chip, and of its detectors (assumed)."""
READ_SECONDS = 100e-9
"""Time that heaters are held for a read, its conversions included."""


_NOT_OF_LIGHT = ("wire_ohm", "stuck_low", "stuck_high", "telegraph_noise", "trap_reads")
"""Fields of `Periphery` that such a device does not have: it has neither wires between cells nor cells."""


def _with_periphery(**defaults: Any) -> Callable[[type[Device]], Any]:
    """As `hardware_models.array.periphery.with_periphery`."""
    return takes_fields(Periphery, "periphery", defaults, without=_NOT_OF_LIGHT)


@_with_periphery(read_noise=0.01)
class MZIMesh(Crossbar):
    r"""A photonic chip: blocks of weights as singular values between two meshes of interferometers.

    .. math::
        W = \mathrm{Re}\left[U(\theta + \delta, e)\, S\, V(\theta' + \delta', e')\right], \quad
        T_{\mathrm{MZI}} = a\, B(e_2)\, \mathrm{diag}(e^{i \theta}, 1)\, B(e_1)\, \mathrm{diag}(e^{i \varphi}, 1), \quad
        |B_{12}|^2 = \sin^2(\pi/4 + e)

    A layer is cut into square blocks of ``mesh_size`` ports; the last are used in part. Of each block a digital
    controller keeps the asked weights. At every write it takes the singular value decomposition of what is asked now,
    solves both meshes for their phases, and sets them and the amplifiers (or attenuators) of the singular values, which
    are exact. **A pulse is such a write**: it lands up to the errors of all phases, which reach every weight of the
    block, and costs a step for each phase of the blocks that it changes. What exceeds the amplifiers is cut off, and
    the controller keeps what is left. Detectors compare the light with a local oscillator (homodyne) and so see its
    real part; their currents are added over the blocks of a row and go to the neurons.

    Without errors ``W`` is what was asked. The detectors are blind to all errors that turn light out of phase: for
    small ones, with ``n`` ports and :math:`S \propto 1`,

    .. math:: \mathrm{E} |\Delta W|^2 / |W|^2 = \sigma_\delta^2\, (n - 1) / 2 + O(\sigma_\delta^4, \sigma_e^4)

    where the field itself is off by :math:`2 n \sigma_\delta^2 + 4 (n - 1) \sigma_e^2`. Crosstalk of heat between
    phase shifters, noise of amplifiers and of the light itself are left out.

    Units:
        An input of 1 is a field at the modulators; the light's power sets nothing but the noise, which is
        ``read_noise``. Heaters dissipate as long as a read takes: 25 mW for each of some two phases a weight, which
        makes a read dear.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        mesh_size: Ports of a mesh; chips of today have up to 64.
        phase_bits: Resolution of a phase over a full turn; 0 is continuous.
        phase_noise_radians: Static error of each phase shifter, what its calibration leaves (no source;
            assumed).
        write_noise_radians: Error of each setting of a phase, by drivers and heat (assumed).
        coupler_error: Spread of the couplers' angles ``e``; of a power splitting of one half it is the error (no
            source; assumed).
        insertion_loss_decibel: Loss of power in an MZI (typical; assumed). Amplifiers make up for its mean. Ports that
            pass by at the edge of a mesh lose nothing.
        singular_max: Greatest singular value of a block without losses, in units of that of typical random weights,
            ``2 sqrt(mesh_size / n_in)`` (assumed).

    Reference:
        Clements et al., Optica 3, 1460 (2016), the mesh; Shen et al., Nature Photonics 11, 441 (2017), two meshes and
        singular values as a layer. No one device.
    """

    asked: torch.Tensor
    insertion_loss_decibel: torch.Tensor
    phase_noise_radians: torch.Tensor
    coupler_error: torch.Tensor
    greatest: torch.Tensor
    phase_errors: torch.Tensor
    phase_bits: torch.Tensor
    write_noise_radians: torch.Tensor
    coupler_errors: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        mesh_size: Annotated[int, Ge(2), Le(256)] = 32,
        phase_bits: Bits = 10,
        phase_noise_radians: NonNegative = 0.01,
        write_noise_radians: NonNegative = 0.002,
        coupler_error: NonNegative = 0.02,
        insertion_loss_decibel: NonNegative = 0.1,
        singular_max: Positive = 6.0,
    ):
        self.mesh_size, self.blocks = mesh_size, (math.ceil(n_out / mesh_size), math.ceil(n_in / mesh_size))
        greatest = self._greatest(n_in, singular_max, insertion_loss_decibel)
        phases = math.prod(self.blocks) * 2 * mesh_size**2
        printed: dict[str, Any] = dict(
            siemens=0.0,
            weight_max=greatest if greatest.dim() else greatest.item(),
            settle_seconds=LIGHT_SECONDS,
            read_joules=phases * SHIFTER_WATTS * READ_SECONDS,
            pulse_seconds=SHIFTER_SECONDS,
            pulse_joules=SHIFTER_WATTS * SHIFTER_SECONDS,
            parallel_pulses=phases,
        )
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            datasheet=periphery.datasheet(n_in, n_out, **printed),
            periphery=periphery,
            phase_bits=phase_bits,
            phase_noise_radians=phase_noise_radians,
            write_noise_radians=write_noise_radians,
            coupler_error=coupler_error,
            insertion_loss_decibel=insertion_loss_decibel,
            greatest=greatest,
        )
        meshes = 2 * math.prod(self.blocks)
        drawn = self._fabricated(Stream.PHASE_ERROR, meshes, mesh_size**2)
        self._keep("phase_errors", self.phase_noise_radians * drawn)
        drawn = self._fabricated(Stream.COUPLER, meshes, mesh_size * (mesh_size - 1))
        self._keep("coupler_errors", self.coupler_error * drawn)
        self._keep("asked", self.weights.clone())
        self.program(self.asked)

    def _greatest(self, n_in: int, singular_max: PerChip, loss_decibel: PerChip) -> torch.Tensor:
        """Return the greatest singular value of a block, behind the MZIs that light passes on average."""
        typical = 2 * (self.mesh_size / n_in) ** 0.5
        return (torch.as_tensor(singular_max) * typical * self._passed(torch.as_tensor(loss_decibel))).float()

    def _passed(self, loss_decibel: torch.Tensor) -> torch.Tensor:
        """Return the share of a field that passes both meshes."""
        return interferometer.amplitude(loss_decibel) ** (2 * (self.mesh_size - 1))

    @override
    def pulse(self, change):
        require_defined(change, "changes")
        change = change.nan_to_num()  # of a GPU; a decomposition of what is undefined would end the whole bank
        return self._write(self.asked + change, change != 0)

    @override
    def program(self, weights):
        require_defined(weights, "weights")
        return self._write(weights.nan_to_num(), torch.ones_like(weights, dtype=torch.bool))

    def _write(self, asked: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
        counts = [self._write_chips(chips, asked[chips], changed[chips]) for chips in chip_groups(asked)]
        self._count_write(changed)
        return torch.cat(counts)

    def _write_chips(self, chips: slice, asked: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
        """Set the blocks of some chips in which anything changed; return the phases that were set."""
        there = self._cut(changed).flatten(2).any(2)
        kept, shown = self._cut(asked), self._cut(self.weights[chips])
        u, s, v, kept[there] = _decomposed(kept[there], self._of_blocks(self.greatest, chips, there))
        shown[there] = self._shown(chips, there, u, s, v).float()
        self.asked[chips], self.weights[chips] = self._joined(kept), self._joined(shown)
        return there.sum(1) * 2 * self.mesh_size**2

    def _shown(
        self, chips: slice, there: torch.Tensor, u: torch.Tensor, s: torch.Tensor, v: torch.Tensor
    ) -> torch.Tensor:
        """Return what detectors see of light through the blocks, ``(blocks, outputs, inputs)``."""
        loss = self._of_blocks(self.insertion_loss_decibel, chips, there)
        phases, couplers = self._set(chips, there, torch.stack([v, u], 1))
        passed = interferometer.amplitude(loss)
        light = interferometer.transfer(torch.eye(self.mesh_size).expand_as(v), phases[:, 0], couplers[:, 0], passed)
        light = light * (s / self._passed(loss)[:, None])[:, :, None]
        return interferometer.transfer(light, phases[:, 1], couplers[:, 1], passed).real

    def _set(self, chips: slice, there: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Set both meshes of the blocks; return their phases and errors of couplers, ``(blocks, 2, ...)``."""
        meshes, n = 2 * there.shape[1], self.mesh_size
        drawn = kernels.normal(self.seeds[chips], self.writes[chips] * meshes, meshes, n * n, Stream.PHASE_WRITE)
        errors = self.phase_errors[chips] + self.write_noise_radians[chips] * drawn
        errors, couplers = (part.unflatten(1, (-1, 2))[there] for part in (errors, self.coupler_errors[chips]))
        bits = self._of_blocks(self.phase_bits, chips, there)[:, None, None]
        phases = interferometer.phases_of(wanted.flatten(0, 1)).unflatten(0, (-1, 2))
        return interferometer.quantized(phases, bits) + errors, couplers

    def _of_blocks(self, number: torch.Tensor, chips: slice, there: torch.Tensor) -> torch.Tensor:
        """Return a chip's number for each of its blocks that are there."""
        return number[chips, :, 0].expand(there.shape)[there]

    def _cut(self, weights: torch.Tensor) -> torch.Tensor:
        """Cut weights into blocks, ``(chips, blocks, outputs, inputs)``; what juts out is filled with zeros."""
        n, (down, across) = self.mesh_size, self.blocks
        whole = weights.new_zeros(len(weights), down * n, across * n)
        whole[:, : weights.shape[1], : weights.shape[2]] = weights
        return whole.reshape(-1, down, n, across, n).transpose(2, 3).flatten(1, 2).clone()

    def _joined(self, blocks: torch.Tensor) -> torch.Tensor:
        """Put blocks together again."""
        whole = blocks.unflatten(1, self.blocks).transpose(2, 3).flatten(3, 4).flatten(1, 2)
        return whole[:, : self.datasheet.n_out, : self.datasheet.n_in]


def _decomposed(
    wanted: torch.Tensor, greatest: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ``U``, ``S`` and ``V`` of matrices, with singular values up to the greatest, and what is left of them."""
    factors = np.linalg.svd(wanted.double().cpu().numpy())  # of numpy, which works on one matrix after the other
    u, s, v = (torch.from_numpy(factor).to(wanted.device) for factor in factors)
    over = (s > greatest[:, None]).any(1)
    s = torch.minimum(s, greatest[:, None].double())
    return u, s, v, torch.where(over[:, None, None], ((u * s[:, None]) @ v).float(), wanted)
