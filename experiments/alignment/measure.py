"""Measure the angle between what Forward-Forward asks of a chip and the true gradient of its loss.

python experiments/alignment/measure.py [FOLDER]
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from analogff.data import Split, load_dataset
from analogff.device import SharedInputs, outer
from analogff.forward_forward.options import ForwardForwardOptions
from analogff.network import Chips, LayerSpec, fabricate_chips
from analogff.rules.forward_forward import ForwardForward
from analogff.slopes.fitted import WARM_UP
from hardware_models.effects.nonlinearity import FAMILIES
from hardware_models.generic.unknown import Unknown

PROBES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.2, 2.0)
SLOPES: tuple[dict[str, Any], ...] = (
    {"slope": "assumed"},
    {"slope": "fitted", "probe": "measured"},
    {"slope": "probed", "probe": "measured"},
    *({"slope": "probed", "probe": d} for d in PROBES),
)
"""What is compared with the truth: options of Forward-Forward, any of them; each is a line of the record."""
NOISES = (0.0, 0.02, 0.05, 0.1, 0.2)
CHIPS = 5
SIZES, CLASSES = (784, 500, 500), 10
BATCH, STEPS = 100, 200
TRAINED_AT_NOISE = 0.05
LESSONS = WARM_UP
"""Batches from which probes are measured and slopes learned before they are compared; nothing is written meanwhile."""
SAME: dict[str, Any] = {
    "negatives": "random",
    "loss": "swish",
    "scale": 12.0,
    "batch": BATCH,
    "learning_rate": 0.003,
    "label_strength": 1.0,
    "saturation_gradient": False,
    "max_step": "free",
}
"""Options of every rule here; without a head, so that all see the same negatives."""


class Keeper:
    """A optimizer that keeps the gradient instead of asking for it."""

    gradient: torch.Tensor

    def descend(self, errors: torch.Tensor, x: torch.Tensor | SharedInputs) -> None:
        """Keep ``sum_b e_bj x_bi``, what an optimizer is given."""
        self.gradient = outer(errors, x)


def make_chips(family: str, noises: tuple[float, ...], **more: Any) -> Chips:
    """Make the same chips once for each read noise, noise by noise."""
    noise = torch.tensor(noises).repeat_interleave(CHIPS)
    spec = LayerSpec(Unknown, {"family": family, "read_noise": noise, **more})
    return fabricate_chips([spec] * (len(SIZES) - 1), SIZES, CLASSES, seeds=[*range(CHIPS)] * len(noises))


def copy_weights(source: Chips, target: Chips) -> None:
    """Give chips the weights of others, as only a simulation can: the same ones with another read noise."""
    for old, new in zip(source.devices, target.devices, strict=True):
        new.weights.copy_(old.weights.repeat(target.chips // source.chips, 1, 1))  # type: ignore[operator]


def make_rule(chips: Chips, **options: Any) -> ForwardForward:
    """Hand the chips to Forward-Forward."""
    chosen = ForwardForwardOptions(**SAME, **options)
    return ForwardForward(chips.seal(ForwardForward.needs(chosen)), chosen, seed=0)


def updates(chips: Chips, batches: Split, **options: Any) -> list[torch.Tensor]:
    """Return what a step on the first batch would ask of each layer before the optimizer, ``(chips, n_out, n_in)``.

    The batches after it are heard beforehand, where something is measured or learned; in the first all slopes meet the
    same negatives. Nothing is written.
    """
    rule = make_rule(chips, **options)
    keepers = [Keeper() for _ in rule.layer_optimizers]
    rule.layer_optimizers = keepers  # type: ignore[assignment]
    compared, *lessons = zip(batches.images.split(BATCH), batches.labels.split(BATCH), strict=True)
    unused = rule.generator.get_state()
    if options.get("probe") == "measured":
        for lesson in lessons:
            rule.step(*lesson)
    rule.generator.set_state(unused)
    rule.step(*compared)
    return [keeper.gradient for keeper in keepers]


def train(family: str, split: Split) -> Chips:
    """Return chips after some steps with the true slope."""
    chips = make_chips(family, (TRAINED_AT_NOISE,))
    rule = make_rule(chips, slope="oracle")
    for images, labels in zip(split.images.split(BATCH)[:STEPS], split.labels.split(BATCH)[:STEPS], strict=True):
        rule.step(images, labels)
    return chips


def cosines(family: str, weights: Chips, batches: Split) -> Iterator[dict[str, Any]]:
    """Yield the cosine of every slope, noise, chip and layer, at given weights."""
    real, clean = make_chips(family, NOISES), make_chips(family, (0.0,), adc_bits=0)
    copy_weights(weights, real)
    copy_weights(weights, clean)
    truths = updates(clean, batches, slope="oracle")
    for options in ({"slope": "oracle"}, *SLOPES):
        for layer, (asked, truth) in enumerate(zip(updates(real, batches, **options), truths, strict=True)):
            truth = truth.repeat(len(NOISES), 1, 1)
            found = torch.cosine_similarity(asked.flatten(1).double(), truth.flatten(1).double(), dim=1)
            for n, cosine in enumerate(found.tolist()):
                point = {"layer": layer + 1, "read_noise": NOISES[n // CHIPS], "chip": n % CHIPS}
                yield {"slope": options["slope"], "probe": options.get("probe")} | point | {"cosine": cosine}


def measure() -> pd.DataFrame:
    """Return one row a family, state of training, slope, noise, chip and layer."""
    data = load_dataset("mnist", train_images=(STEPS + LESSONS + 1) * BATCH)
    unseen = Split(*(part[STEPS * BATCH :] for part in (data.train.images, data.train.labels)))
    rows = []
    for family in FAMILIES:
        for steps, chips in ((0, make_chips(family, (0.0,))), (STEPS, train(family, data.train))):
            found = cosines(family, chips, unseen)
            rows += [{"family": family, "steps": steps} | row for row in found]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(*sys.argv[1:2]) if sys.argv[1:] else Path(__file__).parent
    measure().to_csv(folder / "record.csv", index=False, float_format="%.5g")
