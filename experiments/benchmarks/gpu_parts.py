"""The parts of `gpu.py` that measure; each is a function that returns numbers by name."""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import cast

import torch

from analogff.data import load_dataset
from analogff.device import Precision, convolution, fabricate, products_in
from analogff.forward_forward.options import ForwardForwardOptions
from analogff.network import LayerSpec, fabricate_chips
from analogff.rules.forward_forward import ForwardForward
from analogff.training.loop import train
from analogff.training.recorder import Recorder
from hardware_models import kernels
from hardware_models.array.crossbar import Crossbar
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown
from hardware_models.kernels import reference

PRECISIONS: tuple[Precision, ...] = ("fp32", "tf32", "bf16")


def machine() -> dict[str, str]:
    """Return the card, its driver and the versions."""
    asked = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    card = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    found = {"card": card, "python": platform.python_version(), "cuda": str(torch.version.cuda)}
    for package in ("torch", "triton", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found


def milliseconds(run: Callable[[], object], rounds: int = 15, warm: int = 3) -> float:
    """Return the median time of a call on the device."""
    for _ in range(warm):
        run()
    times = []
    for _ in range(rounds):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def replayed(run: Callable[[], object]) -> Callable[[], object]:
    """Return a call that is one launch, so that the time is the device's and not Python's."""
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


@torch.no_grad()
def read() -> dict:
    """Time a read with every flaw over its bare product, and compare it with the reference, at 4096 x 4096."""
    chip = cast(Crossbar, fabricate(Unknown, 4096, 4096, seeds=[0], parameters={"weight_noise": 0.05}).cuda())
    x, weights = torch.randn(1, 4096, 4096, device="cuda"), chip.weights
    found = {}
    for precision in PRECISIONS:
        with products_in(precision):
            operands = [m.bfloat16() if precision == "bf16" else m for m in (x[0], weights[0].T.contiguous())]
            bare = milliseconds(replayed(lambda operands=operands: operands[0] @ operands[1]))
            whole = milliseconds(replayed(lambda: chip(x)))
            clear = reference.read(chip.circuit(), x[:, :256], [None])[0]
            off = (kernels.read(chip.circuit(), x[:, :256], [None])[0] - clear).abs()
        step = 1 / (2**6 - 1)
        found[precision] = {
            "bare_ms": bare,
            "read_ms": whole,
            "ratio": whole / bare,
            "greatest_difference_steps": float(off.max() / step),
            "share_of_outputs_that_differ": float((off > 1e-5).float().mean()),
        }
    return found


@torch.no_grad()
def peers() -> dict:
    """Time a plain torch layer with the same flaws, and aihwkit-lightning's if it is there, over ours."""
    width, batch = 2000, 512
    flaws = {"dac_bits": 7, "adc_bits": 9, "family": "relu"}
    chip = fabricate(Unknown, width, width, seeds=[0], parameters=flaws).cuda()
    x, weights = torch.randn(1, batch, width, device="cuda"), torch.randn(width, width, device="cuda") / width**0.5

    def plain():
        q = torch.round(x[0].clamp(0, 8) * (127 / 8)) * (8 / 127)
        y = torch.relu(q @ weights)
        y = y + 0.05 * torch.randn_like(y)
        return torch.round(y.clamp(0, 12) * (511 / 12)) * (12 / 511)

    found = {}
    for precision in PRECISIONS[:2]:
        with products_in(precision):
            ours, theirs = milliseconds(replayed(lambda: chip(x)), 50), milliseconds(replayed(plain), 50)
            found[precision] = {"ours_ms": ours, "plain_torch_ms": theirs, "ratio": theirs / ours}
            if (lightning := _lightning(width)) is not None:
                them = milliseconds(replayed(lambda lightning=lightning: lightning(x[0])), 50)
                found[precision] |= {"aihwkit_lightning_ms": them, "lightning_ratio": them / ours}
    return found


def _lightning(width: int) -> torch.nn.Module | None:
    sys.path.insert(0, str(Path(__file__).parent))
    from peers import WIDTH
    from peers import _lightning as layer

    made = layer() if width == WIDTH else None
    return None if made is None else made.cuda()


def learner(model, widths, chips, **options) -> tuple[ForwardForward, Recorder]:
    """Return Forward-Forward on chips that are on the GPU."""
    made = fabricate_chips([LayerSpec(model)] * len(widths), [784, *widths], 10, seeds=list(range(chips)))
    made.devices.to("cuda")
    chosen = ForwardForwardOptions(**options)
    rule = ForwardForward(made.seal(ForwardForward.needs(chosen)), chosen, seed=0)
    return rule, Recorder(rule, made)


def step() -> dict:
    """Time 60 epochs of 784-4x2000 on MNIST with a look at the whole test set after each, and single steps."""
    data, found = load_dataset("mnist", validation_images=0, device="cuda"), {}
    tries: tuple[tuple[Precision, int, float], ...] = (
        ("fp32", 100, 0.003),
        ("tf32", 100, 0.003),
        ("tf32", 500, 0.006),
        ("tf32", 1000, 0.008),
        ("bf16", 1000, 0.008),
    )
    for precision, batch, rate in tries:
        told = {"slope": "assumed", "scale": 4.0, "update_decay": 0.1, "label_strength": 1.0, "prediction": "head"}
        rule, recorder = learner(Ideal, [2000] * 4, 1, batch=batch, learning_rate=rate, **told)
        images, labels = data.train.images[:batch], data.train.labels[:batch]
        with products_in(precision):
            rule.advance(0.0)
            eager = milliseconds(lambda: rule.step(images, labels), 10)  # noqa: B023
            recorder.begin_epoch()
            replayed = milliseconds(lambda: recorder.step(images, labels), 30, 5)  # noqa: B023
            rule, recorder = learner(Ideal, [2000] * 4, 1, batch=batch, learning_rate=rate, **told)
            start = time.perf_counter()
            *_, last = train(rule, recorder.chips, data, epochs=60)
            torch.cuda.synchronize()
        found[f"{precision}, batch {batch}, rate {rate}"] = {
            "eager_step_ms": eager,
            "replayed_step_ms": replayed,
            "is_replayed": recorder.on,
            "seconds": time.perf_counter() - start,
            "test_error_percent": float(last.test_error[0]),
        }
        print(json.dumps(found), flush=True)
    return found


def banks() -> dict:
    """Time a step of banks of 784-256-256 on unknown chips with measured slopes."""
    data, found = load_dataset("mnist", train_images=1000, validation_images=0, device="cuda"), {}
    images, labels = data.train.images[:100], data.train.labels[:100]
    for chips in (1, 64, 1024):
        torch.cuda.reset_peak_memory_stats()
        rule, recorder = learner(Unknown, [256, 256], chips)
        rule.advance(0.0)
        recorder.begin_epoch()
        eager = milliseconds(lambda rule=rule: rule.step(images, labels), 10)
        replayed = milliseconds(lambda recorder=recorder: recorder.step(images, labels), 30, 5)
        gigabytes = torch.cuda.max_memory_allocated() / 2**30
        found[f"{chips} chips"] = {"eager_ms": eager, "replayed_ms": replayed, "peak_gib": gigabytes}
        del rule, recorder
        torch.cuda.empty_cache()
    found["64 chips over 64 eager steps"] = found["64 chips"]["replayed_ms"] / (64 * found["1 chips"]["eager_ms"])
    return found


@torch.no_grad()
def same() -> dict:
    """Compare chips on the CPU and on the GPU: noise, and answers, bit by bit and in steps of the converter."""
    chips, step_size, found = 8, 1 / (2**6 - 1), {}
    seeds = torch.arange(chips)
    here, there = (kernels.normal(s, 5, 256, 999, 17).cpu() for s in (seeds, seeds.cuda()))
    found["noise"] = {"equal_bit_by_bit": bool(torch.equal(here, there)), "greatest": float((here - there).abs().max())}
    x = torch.rand(chips, 256, 784)
    for family in ("saturating", "softplus", "exponential", "sigmoid", "non-monotone"):
        one, other = (fabricate(Unknown, 784, 256, seeds=range(chips), parameters={"family": family}) for _ in range(2))
        off = (one(x) - other.cuda()(x.cuda()).cpu()).abs() / step_size
        found[family] = {"greatest_steps": float(off.max()), "share_that_differs": float((off > 1e-3).float().mean())}
    return found


@torch.no_grad()
def convolutions() -> dict:
    """Time a read at every position over PyTorch's convolution, and compare chips on the CPU and on the GPU."""
    channels, out, side, batch = 96, 384, 16, 128
    given = {"kernel": 3, "padding": 1, "channels": channels, "height": side}
    sizes = side**2 * channels, side**2 * out
    x, found = torch.rand(1, batch, sizes[0], device="cuda"), {}
    image = x.view(batch, side, side, channels).permute(0, 3, 1, 2)
    weights = torch.randn(out, channels, 3, 3, device="cuda")
    for precision in PRECISIONS:
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        ours, own = image.to(kind), weights.to(kind)
        bare = milliseconds(replayed(lambda: torch.nn.functional.conv2d(ours, own, padding=1)))  # noqa: B023
        times = {"conv2d_ms": bare}
        for model in (Ideal, Unknown):
            layer = convolution(model)(*sizes, seed=[0], **given).cuda()
            with products_in(precision):
                times[f"{model.__name__}_ms"] = milliseconds(replayed(lambda: layer(x)))  # noqa: B023
        found[precision] = times | {"ideal_over_conv2d": times["Ideal_ms"] / bare}
        print(json.dumps(found), flush=True)
    few = torch.rand(1, 8, sizes[0])
    here, there = (convolution(Unknown)(*sizes, seed=[0], **given) for _ in range(2))
    off = (here(few) - there.cuda()(few.cuda()).cpu()).abs() * (2**6 - 1)
    found["same"] = {"greatest_steps": float(off.max()), "share_that_differs": float((off > 1e-3).float().mean())}
    return found


def quickstart() -> dict:
    """Run the quickstart at a read noise of 0.05 on the CPU and on the GPU, and compare the errors chip by chip."""
    from scipy import stats

    from analogff.study.results.store import load_results

    study, errors, found = Path(__file__).parent.parent / "quickstart" / "study.toml", {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for compute in ("cpu", "cuda"):
            out, start = f"{folder}/{compute}", time.perf_counter()
            told = ["--set", f"compute={compute}", "--set", "sweep.device.read_noise=[0.05]", "--workers", "8"]
            subprocess.run([sys.executable, "-m", "analogff", "run", str(study), *told, "--out", out], check=True)
            found[f"{compute}_seconds"] = time.perf_counter() - start
            frame = load_results(out)
            frame = frame[frame.epoch == frame.epoch.max()]
            told_apart = ["label", "rule", "rule.slope", "rule.through", "device.family", "chip", "seed"]
            errors[compute] = frame.fillna("").set_index(told_apart).test_error.sort_index()
    apart = (errors["cuda"] - errors["cpu"]).rename("off").reset_index()
    for kind, off in apart.groupby(["label", "rule", "rule.slope", "rule.through", "device.family"]).off:
        half = stats.t.ppf(0.975, len(off) - 1) * stats.sem(off)
        found[" ".join(part for part in kind if part)] = {
            "mean_difference": float(off.mean()),
            "half_width": float(half),
        }
    return found


if __name__ == "__main__":
    part, out = sys.argv[1:]
    result = {"machine": machine()} | {part: globals()[part]()}
    Path(out).write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result[part]))
