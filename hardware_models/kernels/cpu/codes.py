"""Products in whole numbers: input codes times states of cells, exact in any order."""

import numpy as np
import torch

from hardware_models.kernels.circuit import Circuit
from hardware_models.kernels.cpu import read as passes
from hardware_models.kernels.cpu.scratch import scratch

CODE_BITS = 8
"""Greatest resolution of the inputs that fits."""
_multiply_bytes = torch._int_mm  # pyright: ignore[reportPrivateImportUsage]
_ZERO = 128  # subtracted from an 8-bit code, so that it fits in a signed byte


def which(circuit: Circuit) -> list[bool]:
    """Return which chips can be read in whole numbers; this depends only on the chip."""
    if circuit.codes is None:
        return [False] * len(circuit.seeds)
    bits = circuit.dac_bits.view(-1)
    fits = (bits > 0) & (bits <= CODE_BITS) & (circuit.input_min.view(-1) == 0)
    return (fits & (circuit.codes.unit.view(-1) > 0)).tolist()


def multiply(circuit: Circuit, chip: int, shared: torch.Tensor, marks: torch.Tensor | None, out: torch.Tensor) -> None:
    """Fill one chip's weighted sums, ``(rows, n_out)``, from signals before their converters."""
    planes, totals = circuit.codes.planes[chip], circuit.codes.totals[chip]  # type: ignore[union-attr]
    high, bits = circuit.input_max[chip].item(), circuit.dac_bits[chip].item()
    q, lost = _encode(shared, high, bits, "codes")
    sums = scratch("sums of codes", (len(planes), *out.shape), torch.int32)
    if marks is None:
        for plane, s in zip(planes, sums, strict=True):
            _multiply_bytes(q, plane, out=s)
    else:
        variants, batch, lines = marks.shape
        q[:, :lines] = 0  # these arrive with the marks
        flags, _ = _encode(marks.flatten(0, 1), high, bits, "codes of marks")
        for plane, s in zip(planes, sums, strict=True):
            _multiply_bytes(flags, plane[:lines], out=s)
            common = scratch("common codes", (batch, out.shape[1]), torch.int32)
            s.view(variants, batch, -1).add_(_multiply_bytes(q, plane, out=common))
        lost = np.tile(lost, variants)
    unit = circuit.codes.unit[chip].item() * high / (2.0**bits - 1)  # type: ignore[union-attr]
    passes.decode(sums.numpy(), (totals * _ZERO).numpy(), np.float32(unit), lost, out.numpy())


def _encode(x: torch.Tensor, high: float, bits: float, name: str) -> tuple[torch.Tensor, np.ndarray]:
    x = x.contiguous()
    q = scratch(name, x.shape, torch.int8)
    return q, passes.encode(x.numpy(), q.numpy(), np.float32(0), np.float32(high), np.int32(bits), _ZERO)
