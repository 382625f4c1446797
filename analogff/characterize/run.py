"""All measurements of a device class, one after the other."""

import dataclasses
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch

from analogff.characterize import (
    bits,
    codes,
    correlation,
    crosstalk,
    drift,
    inputs,
    linearity,
    noise_floor,
    spread,
    symmetry,
    transfer,
    twin_quality,
    write,
)
from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Curve, Estimate, Found, NotFound, NotMeasurableError
from analogff.characterize.measured_twin import MeasuredTwin
from analogff.device import Device, Observable, Sealed, derive_seed, fabricate, single_precision
from analogff.support.messages import in_words

READS = (transfer, noise_floor, bits, codes, linearity, correlation, spread, twin_quality, inputs)
"""Measurements that only read, all on the same chips."""
WRITES = (drift, write, symmetry, crosstalk)
"""Measurements that write, each on fresh chips from the same seeds."""


@dataclasses.dataclass(frozen=True)
class Characterization:
    """The characterization of a device class."""

    device: str
    """Name of the device."""
    parameters: dict[str, Any]
    """Parameters of the device."""
    size: tuple[int, int]
    """Input and output lines."""
    seeds: tuple[int, ...]
    """Chip seeds."""
    estimates: tuple[Estimate, ...]
    """Figures."""
    missing: tuple[NotFound, ...]
    """Figures that could not be measured."""
    curves: tuple[Curve, ...]
    """Points of the drawings."""
    twin: MeasuredTwin | None
    """Fitted to reads, unless the device failed."""
    by_bias: bool
    """Whether there is a bias port, and so a unit of weighted sums."""
    reads: float
    """Input vectors read, of each chip."""
    pulses: float
    """Elementary write steps spent, mean of a chip."""


def characterize(
    model: type[Device],
    *,
    name: str | None = None,
    parameters: dict[str, Any] | None = None,
    n_in: int = 64,
    n_out: int = 32,
    chips: int = 5,
    seed: int = 0,
    tell: Callable[[str], None] = lambda what: None,
) -> Characterization:
    """Fabricate chips, seal them, and measure them as a black box.

    Args:
        model: The class.
        name: What to call it; the class's name if None.
        parameters: Its further arguments.
        n_in: Input lines.
        n_out: Output lines, at least 4, since intervals count them.
        chips: How many; their seeds are ``seed``, ``seed + 1``, ...
        seed: Seed of the first chip and of the stimuli.
        tell: Called with the name of each measurement.

    Raises:
        ValueError: If the sizes are too small, or the class is a convolution, whose array is characterized alone.

    Example:
        >>> from analogff.device import Digital
        >>> found = characterize(Digital, n_in=4, n_out=4, chips=2)
        >>> [row.why for row in found.missing if row.name == "drift exponent"]
        ['it has no weights of its own; those in front of it are digital']
    """
    _refuse_small(n_in, n_out, chips)
    seeds = tuple(range(seed, seed + chips))
    benches: list[Bench] = []

    def make_bench(purpose: str) -> Bench:
        device = fabricate(model, n_in, n_out, seeds=seeds, parameters=parameters)
        if device.datasheet.windows is not None:
            raise ValueError(
                f"Expected an array with weights of its own for each output. Got {name or model.__name__}, which reads "
                "one array at many positions. Characterize the class of that array."
            )
        benches.append(_bench(device, chips, derive_seed(seed, purpose)))
        return benches[-1]

    found = _found(_measure_all(make_bench, tell)) | _counted(benches)
    return Characterization(
        device=name or model.__name__, parameters=parameters or {}, size=(n_in, n_out), seeds=seeds, **found
    )


def _bench(device: Device, chips: int, seed: int) -> Bench:
    level = Observable.PROBE if device.datasheet.bias_port else Observable.ACTIVITY
    return Bench(Sealed(device, chips=chips, level=level), seed)


def _found(results: list[Found | NotFound]) -> dict[str, Any]:
    """Return the fields of a characterization that measurements gave."""
    estimates, missing = _split(results)
    found = [result for result in results if isinstance(result, Found)]
    twin = next((result.twin for result in found if result.twin is not None), None)
    curves = tuple(curve for result in found for curve in result.curves)
    return {"estimates": tuple(estimates), "missing": tuple(missing), "curves": curves, "twin": twin}


def _counted(benches: Sequence[Bench]) -> dict[str, Any]:
    """Return the fields on all benches: reads, and pulses in the mean of the chips."""
    counts = [bench.chips.ledger[bench.chips.name] for bench in benches]
    pulses = float(sum(np.mean(np.asarray(count.pulses, dtype=float)) for count in counts))
    reads = sum(count.reads for count in counts)
    return {"by_bias": benches[0].sheet.bias_port, "reads": reads, "pulses": pulses}


def _refuse_small(n_in: int, n_out: int, chips: int) -> None:
    if n_in < 2 or n_out < 4 or chips < 1:
        raise ValueError(
            f"Expected at least 2 inputs, 4 outputs and 1 chip. Got {n_in}, {n_out} and {chips}. Intervals count "
            "outputs: give more of them."
        )


def _measure_all(make_bench: Callable[[str], Bench], tell: Callable[[str], None]) -> list[Found | NotFound]:
    """Take every measurement: those that read on one bench, those that write on a bench each."""
    with _one_thread(), single_precision():
        shared = make_bench("reads")
        results = []
        for module in (*READS, *WRITES):
            tell(module.TITLE)
            results.append(_try(module, shared if module in READS else make_bench(module.TITLE)))
    return results


def _try(module: ModuleType, bench: Bench) -> Found | NotFound:
    """Measure, or return the reason why not."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # undefined numbers are reported as not measurable
            return module.measure(bench)
    except NotMeasurableError as error:
        return NotFound(module.TITLE, str(error))
    except Exception as error:  # an unexpected device may break a measurement
        return NotFound(module.TITLE, f"the measurement failed: {in_words(error)}")


def _split(results: list[Found | NotFound]) -> tuple[list[Estimate], list[NotFound]]:
    """Separate numbers from the reasons of missing ones."""
    found, missing = [], []
    for result in results:
        if isinstance(result, NotFound):
            missing.append(result)
            continue
        missing += result.missing
        for estimate in result.estimates:
            if np.isfinite(estimate.value).all():
                found.append(estimate)
            else:
                missing.append(NotFound(estimate.name, "some chips gave no finite number"))
    return found, missing


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use the threads of learning: more threads may split sums differently."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
