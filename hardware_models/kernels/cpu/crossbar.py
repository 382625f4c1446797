"""A read on a CPU: convert, multiply, finish, for as many chips at a time as the cache holds."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch

from analogff.device import SharedInputs, add_marks, multiply
from hardware_models.kernels.circuit import Circuit
from hardware_models.kernels.cpu import codes
from hardware_models.kernels.cpu import read as passes
from hardware_models.kernels.cpu.neuron_curves import CODES
from hardware_models.kernels.cpu.scratch import scratch
from hardware_models.kernels.streams import Stream

CACHED_NUMBERS = 2**17
"""Activities of chips that are read together: half a megabyte."""
WORTH_A_THREAD = 2**18
"""Number of outputs for which another thread is worthwhile."""
_STREAMS = (int(Stream.WEIGHT_READ), int(Stream.READ))
_NO_NOISE = np.empty((1, 0, 1), np.float32)


def takes(circuit: Circuit) -> bool:
    """Return whether there is a kernel for the curve."""
    return circuit.curve in CODES


def read(circuit: Circuit, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
    """Read as `reference.read`, up to rounding; marked inputs count as written out.

    A weighted sum is rounded as in the library's product. In whole numbers it is exact up to one rounding. Later stages
    differ by a few units in the last place, which a converter may amplify to a step.
    """
    shared, marks = (x.shared, x.marks) if isinstance(x, SharedInputs) else (x, None)
    chips, rows, _ = x.shape
    width = circuit.weights.shape[1]
    reads = [Reading(circuit, bias, n * rows, torch.empty(chips, rows, width)) for n, bias in enumerate(biases)]
    counted = codes.which(circuit)
    converters = Converters(circuit)
    common = converters(shared[:1], slice(0, 1), "shared") if _same_for_all(circuit, shared) else None
    together = max(1, CACHED_NUMBERS // (max(1, rows) * max(circuit.weights.shape[1:])))
    for first in range(0, chips, together):
        group = slice(first, min(first + together, chips))
        q = common if common is not None else converters(shared[group], group, "shared")
        flags = None if marks is None else converters(marks[group], group, "marks")
        sums = reads[0].y[group] if len(reads) == 1 else scratch("sums", (group.stop - first, rows, width))
        for n, chip in enumerate(range(chips)[group]):
            if counted[chip]:
                codes.multiply(circuit, chip, shared[chip], None if marks is None else marks[chip], sums[n])
            else:
                at = 0 if common is not None else n
                _multiply(q[at], None if flags is None else flags[n], circuit.weights[chip], sums[n])
        sigma = _noise_of_sums(circuit, group, q, flags, rows)
        for reading in reads:
            reading.finish(sums, sigma, group)
    return [reading.y for reading in reads]


def _multiply(q: torch.Tensor, marks: torch.Tensor | None, weights: torch.Tensor, out: torch.Tensor) -> None:
    """Fill one chip's weighted sums, ``(rows, n_out)``."""
    if marks is None:
        multiply(q, weights.mT, out)
    else:
        common = scratch("common", (q.shape[0], weights.shape[0]))
        multiply(q, weights.mT, common)
        add_marks(marks, weights[:, : marks.shape[-1]], common, out.view(*marks.shape[:2], -1))


class Converters:
    """The input converters of all chips."""

    def __init__(self, circuit: Circuit):
        self.numbers = [v.numpy() for v in (circuit.input_min, circuit.input_max, circuit.dac_bits)]

    def __call__(self, x: torch.Tensor, group: slice, name: str) -> torch.Tensor:
        """Convert the signals of some chips, ``(chips, ..., columns)``, into scratch memory of that name."""
        q = scratch(name, x.shape)
        x, out = x.contiguous(), q
        if x.dim() > 3:
            x, out = x.flatten(1, 2), q.flatten(1, 2)
        passes.convert(x.numpy(), out.numpy(), *[v[group] for v in self.numbers])
        return q


def _same_for_all(circuit: Circuit, x: torch.Tensor) -> bool:
    """Return whether all chips have the same inputs and converters."""
    numbers = (circuit.dac_bits, circuit.input_min, circuit.input_max)
    return x.shape[0] == 1 or (x.stride(0) == 0 and all(bool((v == v[:1]).all()) for v in numbers))


def _noise_of_sums(
    circuit: Circuit, group: slice, q: torch.Tensor, marks: torch.Tensor | None, rows: int
) -> np.ndarray:
    """Return the standard deviation of the sums, ``(chips, rows, 1 or n_out)``; no rows if it is zero."""
    strength = circuit.weight_noise[group]
    if circuit.variance is None:
        if not strength.any():
            return _NO_NOISE
        length = torch.linalg.vector_norm(q, dim=-1, keepdim=True)
        if marks is not None:
            of_marks = torch.linalg.vector_norm(marks, dim=-1, keepdim=True)
            length = (length.unsqueeze(1).square() + of_marks.square()).sqrt().flatten(1, 2)
        return (strength * length).numpy()
    variance = circuit.variance[group]
    if not variance.any():
        return _NO_NOISE
    sigma = scratch("sigma", (variance.shape[0], rows, variance.shape[1]))
    for n in range(variance.shape[0]):
        at = n if q.shape[0] > 1 else 0
        _multiply(q[at].square(), None if marks is None else marks[n].square(), variance[n], sigma[n])
    return sigma.sqrt_().numpy()


class Reading:
    """One read of all chips, from weighted sums to outputs.

    Args:
        circuit: The chips.
        bias: Added to the sums.
        ahead: Input vectors read since the circuit was built.
        y: Memory of the outputs, ``(chips, rows, n_out)``.
    """

    def __init__(self, circuit: Circuit, bias: torch.Tensor | None, ahead: int, y: torch.Tensor):
        self.y = y
        self.curve = CODES[circuit.curve]
        # a bias equal for all rows is added to the offset
        by_row = bias is not None and bias.dim() >= 2 and bias.shape[-2] > 1
        self.bias = bias.expand_as(y) if bias is not None and by_row else None
        shift = circuit.offset if bias is None or by_row else circuit.gain * bias + circuit.offset
        per_chip = (circuit.steepness, circuit.read_noise, circuit.output_min, circuit.output_max, circuit.adc_bits)
        self.numbers = [v.numpy() for v in (circuit.gain, shift, *per_chip, circuit.seeds)]
        self.numbers.append(circuit.reads.numpy() + ahead)

    def finish(self, sums: torch.Tensor, sigma: np.ndarray, group: slice) -> None:
        """Turn the sums of some chips into outputs, in one pass, on as many threads as torch may use."""
        y = self.y[group]
        if self.bias is not None:
            sums = torch.add(sums, self.bias[group], out=y)
        numbers = [v[group] for v in self.numbers]
        threads = min(torch.get_num_threads(), max(1, y.numel() // WORTH_A_THREAD))
        rows, a, out = y.shape[1], sums.numpy(), y.numpy()

        def work(part: tuple[int, int]) -> None:
            arguments = (a, out, sigma, self.curve, *numbers, _STREAMS, part)
            passes.finish(*arguments)  # pyright: ignore[reportCallIssue]

        if threads == 1:
            work((0, rows))
        else:
            bounds = [n * rows // threads for n in range(threads + 1)]
            list(_pool(threads).map(work, zip(bounds[:-1], bounds[1:], strict=True)))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)
