"""Predict the next character of Aesop's fables from layers that learned by Forward-Forward.

python experiments/sequences/run.py [--width 256] [--epochs 20] [--chips 3] [--out FOLDER]
"""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
import tyro
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analogff.figures.style import COLOURS, RC
from analogff.forward_forward.sequences import SYMBOLS, lines_of, strings_of, windows_of
from analogff.network import LayerSpec, evaluating, fabricate_wired
from analogff.rules.next_character import NextCharacter, NextCharacterOptions
from analogff.study.results.summary import interval_over_chips
from hardware_models.generic.ideal import Ideal

HERE = Path(__file__).parent
WINDOW, STRINGS, LENGTH = 10, 248, 100
Kind = Literal["teacher-forcing", "roll-out 10", "roll-out 90", "none"]
"""Of negatives, with the number of characters that a network writes on from each of its beginnings."""


@dataclasses.dataclass(frozen=True)
class Args:
    """What to run; the paper's net is ``--width 2000``."""

    width: int = 256
    """Neurons of each hidden layer."""
    layers: int = 3
    """Hidden layers."""
    epochs: int = 20
    """Passes through the 22,320 windows."""
    chips: int = 3
    """Chips, with seeds from 0."""
    learning_rate: float = 0.001
    """Learning rate of the hidden layers."""
    head_learning_rate: float = 0.003
    """Learning rate of the readout."""
    loss: str = "swish"
    """As of the rule."""
    scale: float = 4.0
    """As of the rule."""
    only: tuple[Kind, ...] = get_args(Kind)
    """Kinds of negatives."""
    out: Path = HERE / "record"
    """Where to write record.csv and the figure."""


Windows = tuple[torch.Tensor, torch.Tensor]


def main(args: Args) -> None:
    """Train with each kind of negatives, and write what came of it."""
    torch.set_num_threads(1)
    strings = strings_of((HERE / "fables.txt").read_text(encoding="utf-8"), LENGTH)
    args.out.mkdir(parents=True, exist_ok=True)
    frames = []
    for kind in args.only:  # what is done is kept, since a wide net takes long
        frames.append(pd.DataFrame(train(args, kind, strings[:STRINGS], strings[STRINGS:])))
        keep(pd.concat(frames, ignore_index=True), args.out)


def keep(frame: pd.DataFrame, folder: Path) -> None:
    """Write the table and the figure."""
    frame.to_csv(folder / "record.csv", index=False, float_format="%.6g")
    with mpl.rc_context(RC):
        draw(frame).savefig(folder / "accuracy_vs_epoch.png", bbox_inches="tight")


def train(args: Args, kind: Kind, strings: torch.Tensor, held_out: torch.Tensor) -> Iterator[dict[str, Any]]:
    """Yield one row a chip and epoch; epoch 0 is the chip as fabricated."""
    negatives, _, written = kind.partition(" ")
    rule = make_rule(args, negatives)
    seen, unseen = as_lines(strings), as_lines(held_out)
    generator, start = torch.Generator().manual_seed(0), time.perf_counter()
    for epoch in range(args.epochs + 1):
        if epoch:
            if written:  # on from every so many characters of the text: as many windows as there are real ones
                rule.sleep(seen[0][:: int(written)], int(written))
            batches = torch.randperm(len(seen[1]), generator=generator).split(rule.options.batch)
            for n, some in enumerate(batches):
                rule.advance((epoch - 1 + n / len(batches)) / args.epochs)
                rule.step(seen[0][some], seen[1][some])
        row = {"negatives": kind, "width": args.width, "epoch": epoch}
        reads = {"reads": rule.network.ledger.total("reads")}
        with evaluating(rule.network):
            right, bits = answers(rule, seen)
            right_unseen, bits_unseen = answers(rule, unseen)
        print(f"{kind:16} epoch {epoch:3}: {right.mean():.1f} % of seen, {right_unseen.mean():.1f} % of unseen")
        for chip in range(args.chips):
            of_chip = {"chip": chip, "right_percent": right[chip].item(), "bits": bits[chip].item()}
            of_unseen = {"right_percent_unseen": right_unseen[chip].item(), "bits_unseen": bits_unseen[chip].item()}
            yield row | of_chip | of_unseen | reads | {"wall_seconds": time.perf_counter() - start}


def make_rule(args: Args, negatives: str) -> NextCharacter:
    """Seal ideal chips, wired so that the readout hears all hidden layers."""
    loss = {} if negatives == "none" else {"loss": args.loss, "scale": args.scale}
    told = {
        "negatives": negatives,
        "slope": "assumed",
        "learning_rate": args.learning_rate,
        "head_learning_rate": args.head_learning_rate,
    }
    options = NextCharacterOptions.model_validate(told | loss)
    widths = [args.width] * args.layers
    shapes = NextCharacter.layer_shapes(options, WINDOW * len(SYMBOLS), widths, len(SYMBOLS))
    chips = fabricate_wired([LayerSpec(Ideal)] * args.layers, shapes, seeds=range(args.chips))
    return NextCharacter(chips.seal(NextCharacter.needs(options)), options, seed=0)


def as_lines(strings: torch.Tensor) -> Windows:
    """Return windows as a network's input lines, and the characters that follow them."""
    windows, following = windows_of(strings, WINDOW)
    return lines_of(windows), following


def answers(rule: NextCharacter, windows: Windows) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the percentage of characters that each chip predicts, and its bits a character."""
    right, nats = torch.zeros(rule.network.chips), torch.zeros(rule.network.chips)
    for lines, following in zip(*(tensor.split(1000) for tensor in windows), strict=True):
        beliefs = rule.logits(lines).log_softmax(-1)
        right += (beliefs.argmax(-1) == following).sum(-1)
        nats -= beliefs.gather(-1, following.expand(len(right), -1).unsqueeze(-1)).sum((1, 2))
    n = len(windows[1])
    return 100 * right / n, nats / n / torch.tensor(2.0).log()


def draw(frame: pd.DataFrame) -> Figure:
    """Draw the mean over chips and its 95 % interval by epoch, of strings learned from and of others."""
    names = {
        "teacher-forcing": "last character its own",
        "roll-out 10": "ten characters its own",
        "roll-out 90": "ninety characters its own",
        "none": "untrained layers",
    }
    figure = Figure(figsize=(3.4, 2.4))
    axes = figure.add_subplot()
    colors = dict(zip(names, COLOURS, strict=False))  # a kind looks the same in every figure
    for kind, of_kind in frame.groupby("negatives", sort=False):
        for column, line in (("right_percent", "-"), ("right_percent_unseen", (0, (4, 2)))):
            by_epoch = of_kind.groupby("epoch")
            bands = np.array([interval_over_chips(now, column) for _, now in by_epoch])
            epochs = np.array(list(by_epoch.groups))
            label, color = names[str(kind)] if line == "-" else "", colors[str(kind)]
            axes.plot(epochs, bands[:, 0], color=color, linestyle=line, label=label)
            axes.fill_between(epochs, bands[:, 1], bands[:, 2], color=color, alpha=0.2, linewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch (dashed: strings not learned from)")
    axes.set_ylabel("next characters predicted / %")
    axes.legend(frameon=False)
    return figure


if __name__ == "__main__":
    main(tyro.cli(Args))
