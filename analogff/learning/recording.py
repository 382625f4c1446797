"""What whoever records a step of a rule in a CUDA graph must know of it."""

import dataclasses
from collections.abc import Hashable, Sequence

from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.slopes.probe_size import ProbeSize


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recording:
    """What the next step does on the CPU; the rest happens on the device."""

    key: Hashable = ()
    """Steps of one key are the same operations on tensors of the same places."""
    optimizers: Sequence[PulseOptimizer] = ()
    """Those that write, each once."""
    probes: Sequence[ProbeSize] = ()
    """Those that are asked, each once."""
