"""Memory of a read of a convolution, in outputs: 96 x 3 x 3 to 384 channels at 16 x 16 positions, batch 128.

python experiments/benchmarks/convolution_memory.py    # Linux; 10 s
"""

import re
from pathlib import Path

import torch

from analogff.device import Sealed, convolution
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown

_PROCESS = Path("/proc/self")
_MIB = 2.0**20


def main() -> None:
    """Print the peak of the process during a read, above what it held before, over the size of the output."""
    torch.set_num_threads(1)
    for model in (Ideal, Unknown):
        layer = convolution(model)(96 * 256, 384 * 256, seed=[0], kernel=3, padding=1, channels=96, height=16)
        sealed, x = Sealed(layer, chips=1), torch.rand(1, 128, 96 * 256)
        sealed.measure(x[:, :8])  # compiles
        (_PROCESS / "clear_refs").write_text("5")  # forgets the peak
        held = _mebibytes("VmRSS")
        y = sealed.measure(x)
        out, peak = 4 * y.numel() / _MIB, _mebibytes("VmHWM") - held
        print(f"{model.__name__}: output {out:.0f} MiB, peak {peak:.0f} MiB, {peak / out:.2f} outputs")


def _mebibytes(field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+) kB", (_PROCESS / "status").read_text())
    assert found
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
