"""Everything that only a GPU can show: tests, kernels, speed, the quickstart, long trainings.

python experiments/benchmarks/gpu.py --out results/gpu            # within nine minutes
python experiments/benchmarks/gpu.py --out results/gpu tests read # some parts

It needs a CUDA device, and what pyproject.toml asks for with its extra `gpu`. Each part is a process of its own, says a
line when it ends, and leaves OUT/PART.json and OUT/PART.log; one that fails leaves the others alone. Trainings go on
where they were.
"""

import argparse
import configparser
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TESTS = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-n", "4", "-p", "no:cacheprovider", "tests"]
STUDIES = {
    "jitter": ["literature/jitter-4x2000"],
    "recurrent": ["recurrent/study"],
    "unsupervised": ["unsupervised/study"],
    "tinycnn": ["images/tinycnn", "epochs=20", "train_images=49000", "dataset=cifar10-jpeg"],
    "cwcomp": ["images/cwcomp", "epochs=25", "train_images=49000", "dataset=cifar10-jpeg"],
}
"""Studies, and what is set in them. The last two read CIFAR-10 (JPEG) from the folder that ANALOGFF_DATA names."""
PARTS = {
    "tests": 120,
    "read": 60,
    "peers": 45,
    "step": 90,
    "banks": 60,
    "same": 60,
    "convolutions": 60,
    "quickstart": 150,
    "jitter": 480,
    "unsupervised": 480,
    "recurrent": 480,
    "tinycnn": 480,
    "cwcomp": 480,
}
"""Seconds that each may take."""
MOST_SECONDS = 540


def main() -> None:
    """Run the parts that were asked for, in order, as far as the time goes."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if none is named")
    told.add_argument("--out", type=Path, required=True, help="folder for what is found")
    told.add_argument("--seconds", type=float, default=MOST_SECONDS, help="most that all parts may take")
    asked = told.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        told.error(f"expected parts of {', '.join(PARTS)}. Got {', '.join(sorted(unknown))}.")
    asked.out.mkdir(parents=True, exist_ok=True)
    surroundings = _registered(asked.out)
    end = time.monotonic() + asked.seconds
    for part in asked.parts or PARTS:
        left = min(PARTS[part], end - time.monotonic())
        print(f"{part:14}", "no time left" if left <= 0 else _run(part, asked.out, left, surroundings), flush=True)


def _run(part: str, out: Path, seconds: float, surroundings: dict[str, str]) -> str:
    """Run a part, and return its line."""
    start = time.monotonic()
    with (out / f"{part}.log").open("w") as log:
        # a session of its own, so that what a part started ends with it
        told = {"cwd": ROOT, "stdout": log, "stderr": log, "env": surroundings, "start_new_session": True}
        part_itself = subprocess.Popen(_command(part, out), **told)
        try:
            end = f"exit {part_itself.wait(seconds)}"
        except subprocess.TimeoutExpired:
            os.killpg(part_itself.pid, signal.SIGKILL)
            end = "stopped"
    last = [line for line in (out / f"{part}.log").read_text().splitlines() if line.strip()] or [""]
    return f"{end:10} {time.monotonic() - start:5.0f} s  {last[-1][:600]}"


def _registered(out: Path) -> dict[str, str]:
    """Return an environment in which the checkout counts as installed, so that names of devices and rules are known."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    there = out.resolve() / "site" / "analogff-0.dist-info"
    there.mkdir(parents=True, exist_ok=True)
    (there / "METADATA").write_text("Metadata-Version: 2.1\nName: analogff\nVersion: 0\n")
    groups = configparser.ConfigParser(delimiters="=")
    groups.optionxform = str  # type: ignore[assignment]
    groups.read_dict(project["entry-points"])
    with (there / "entry_points.txt").open("w") as file:
        groups.write(file)
    paths = [str(ROOT), str(there.parent), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _command(part: str, out: Path) -> list[str]:
    if part == "tests":
        return TESTS
    if part in STUDIES:
        study, *told = STUDIES[part]
        given = [word for one in (*told, "compute=cuda", "precision=tf32") for word in ("--set", one)]
        file = f"experiments/{study}.toml"
        return [sys.executable, "-m", "analogff", "run", file, *given, "--workers", "0", "--out", str(out / part)]
    return [sys.executable, str(HERE / "gpu_parts.py"), part, str(out / f"{part}.json")]


if __name__ == "__main__":
    main()
