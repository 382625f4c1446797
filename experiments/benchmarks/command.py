"""The command line, as a user calls it."""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def analogff(*arguments: str) -> None:
    """Run ``analogff``, and wait for its end.

    Raises:
        CalledProcessError: If it fails.
    """
    subprocess.run([sys.executable, "-m", "analogff", *arguments], check=True, capture_output=True)


def run_study(file: str, *, workers: int) -> None:
    """Run a study of this folder, and forget its results."""
    with tempfile.TemporaryDirectory() as folder:
        analogff("run", str(HERE / file), "--workers", str(workers), "--out", folder)
