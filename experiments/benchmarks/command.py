"""The command line, as a user calls it."""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def analogff(*arguments: str, status: int = 0) -> None:
    """Run ``analogff``, and wait for its end.

    Args:
        arguments: Of the command line.
        status: How it is to end.

    Raises:
        CalledProcessError: If it ends otherwise.
    """
    command = [sys.executable, "-m", "analogff", *arguments]
    ended = subprocess.run(command, check=False, capture_output=True)
    if ended.returncode != status:
        raise subprocess.CalledProcessError(ended.returncode, command, ended.stdout, ended.stderr)


def run_study(file: str, *, workers: int, status: int = 0) -> None:
    """Run a study of this folder, and forget its results."""
    with tempfile.TemporaryDirectory() as folder:
        analogff("run", str(HERE / file), "--workers", str(workers), "--out", folder, status=status)
