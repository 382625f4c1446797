"""Draw what layers without labels are shown, and what the first of them comes to look for.

python experiments/unsupervised/show_hybrids.py     # writes hybrids.png and receptive_fields.png beside itself

Trains the chip of the first run of study_small.toml for three epochs, and then looks into it, as only a simulator can.
"""

from pathlib import Path

import torch
from matplotlib.figure import Figure

from analogff.data import Dataset, ImageShape, load_dataset
from analogff.forward_forward.hybrids import hybrids, mixtures, other_images, random_masks
from analogff.study.read.spec import read_study
from analogff.study.run.execute import build
from analogff.study.run.plan import plan_runs
from analogff.study.task import Task
from analogff.training.loop import train

HERE = Path(__file__).parent
EXAMPLES, FIELDS, EPOCHS = 10, (4, 14), 3


def main() -> None:
    """Train, and draw both figures."""
    torch.set_num_threads(1)
    run = plan_runs(read_study(HERE / "study_small.toml"))[0]
    settings = run.case.settings
    data = load_dataset(settings.dataset, validation_images=settings.validation_images)
    _examples(data, run.case.rule.options["blurs"]).savefig(HERE / "hybrids.png", dpi=150)
    assert data.image is not None
    rule, chips = build(Task((run,), str(HERE)), data)
    weights = chips.devices[0].get_buffer("weights")
    before = weights[0].clone()
    for epoch in train(rule, chips, data, epochs=EPOCHS):
        print(f"{run}: epoch {epoch.epoch}, loss {epoch.train_loss[0]:.4f}", flush=True)
    _fields(before, weights[0], data.image).savefig(HERE / "receptive_fields.png", dpi=100)


def _examples(data: Dataset, blurs: int) -> Figure:
    """Draw images, others, masks, and the two kinds of negatives made of them, a row each."""
    generator = torch.Generator().manual_seed(0)
    assert data.image is not None
    images, shape = data.train.images[:EXAMPLES], data.image
    others = images[other_images(EXAMPLES, generator)]
    masks = random_masks(EXAMPLES, shape, blurs, generator)
    rows = {
        "image": images,
        "other image": others,
        "mask": masks.float(),
        "hybrid": hybrids(images, others, masks),
        "mixed": mixtures(images, others),
    }
    figure = Figure(figsize=(0.55 * EXAMPLES + 0.9, 0.55 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), EXAMPLES, squeeze=False)
    for line, (name, pictures) in zip(grid, rows.items(), strict=True):
        for axes, picture in zip(line, pictures, strict=True):
            axes.imshow(picture.view(shape[1:]).numpy(), cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    return figure


def _fields(before: torch.Tensor, after: torch.Tensor, shape: ImageShape) -> Figure:
    """Draw the first neurons' weights as fabricated and as learned, each on a scale of its own; red is positive."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    parts = figure.subfigures(2, 1, squeeze=False).ravel()
    for part, weights, title in zip(parts, (before, after), ("as fabricated", "after learning"), strict=True):
        part.suptitle(title, fontsize=8)
        for axes, field in zip(part.subplots(*FIELDS).ravel(), weights, strict=False):
            span = field.abs().max().item()
            axes.imshow(field.view(shape[1:]).numpy(), cmap="RdBu_r", vmin=-span, vmax=span)
            axes.axis("off")
    return figure


if __name__ == "__main__":
    main()
