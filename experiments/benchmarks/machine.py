"""What the numbers were measured with."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch


def describe() -> dict[str, str]:
    """Return the machine, the versions and the commit, by their names in the table."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    rows = {
        "processor": f"{_processor()}, {torch.backends.cpu.get_cpu_capability()}",
        "cores": f"{cores}, one thread used",
        "python": platform.python_version(),
        "torch": version("torch"),
        "numba": version("numba"),
    }
    commit = _commit()
    return rows | {"commit": commit} if commit else rows


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _commit() -> str | None:
    """Return what the code stands at, marked if anything tracked was changed since."""
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
