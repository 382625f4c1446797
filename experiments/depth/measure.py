"""Train nets of 2, 4 and 8 layers, and measure the signal and the noise that each layer hands on.

python experiments/depth/measure.py [FOLDER]
"""

import sys
from pathlib import Path

import pandas as pd
import torch

import analogff as ff
from analogff.data import load_dataset
from analogff.network import Network, evaluating
from analogff.study.run.kept import kept_chips
from analogff.study.run.look_again import awaken

DEPTHS = (2, 4, 8)
WIDTH = 128
IMAGES, READS = 500, 20
_HERE = Path(__file__).parent


def signal_and_noise(network: Network, images: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    r"""Return the variances of the signal and of the noise that each layer hands on.

    .. math::
        N = \langle \mathrm{Var}_k\, x_{ik} \rangle_i, \quad
        S = \mathrm{Var}_i\, \bar x_i - N / K

    for the normalized activity :math:`x_{ik}` of a neuron at image ``i`` in read ``k`` of ``K`` through all layers
    before it, summed over neurons.

    Returns:
        For each layer ``S`` and ``N``, ``(chips,)``.
    """
    with evaluating(network):
        reads = [[network.onward(passed) for passed in network.forward(network.present(images))] for _ in range(READS)]
    found = []
    for layer in zip(*reads, strict=True):
        x = torch.stack(layer)
        noise = x.var(0).mean(1).sum(-1)
        found.append((x.mean(0).var(1).sum(-1) - noise / READS, noise))
    return found


def measured(folder: Path, images: torch.Tensor) -> pd.DataFrame:
    """Return signal and noise of each layer of the kept chips of a folder."""
    rows = []
    for kept in kept_chips(folder):
        network = awaken(kept).rule.network
        for layer, (signal, noise) in enumerate(signal_and_noise(network, images), start=1):
            for run, s, n in zip(kept.task.runs, signal.tolist(), noise.tolist(), strict=True):
                label = run.case.labels["label"]
                rows.append({"label": label, "chip": run.chip, "layer": layer, "signal": s, "noise": n})
    return pd.DataFrame(rows)


def main() -> None:
    """Run what is missing, and write ``errors.csv`` and ``layers.csv`` beside this file."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("results/depth")
    images = load_dataset("mnist").test.images[:IMAGES]
    errors, layers = [], []
    for depth in DEPTHS:
        folder = out / f"{depth}-layers"
        wanted = f"layers={[WIDTH] * depth}"
        results = ff.run(_HERE / "study.toml", out=folder, workers=1, set=[wanted])
        last = results.table[results.table["epoch"] == results.table["epoch"].max()]
        errors.append(last[["label", "chip", "test_error", "diverged"]].assign(depth=depth))
        layers.append(measured(folder, images).assign(depth=depth))
    pd.concat(errors).to_csv(_HERE / "errors.csv", index=False)
    pd.concat(layers).to_csv(_HERE / "layers.csv", index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
