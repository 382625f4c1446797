"""Show what the first layer of an ideal Forward-Forward net looks at.

python experiments/first-layer/show.py [FOLDER]
"""

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from matplotlib.figure import Figure

from analogff.data import load_dataset
from analogff.figures.style import RC, WIDTH_INCHES
from analogff.forward_forward.options import ForwardForwardOptions
from analogff.network import LayerSpec, fabricate_chips
from analogff.rules.forward_forward import ForwardForward
from analogff.training.loop import train
from hardware_models.generic.ideal import Ideal

WIDTHS = (500, 500)
IMAGES, EPOCHS = 20_000, 5
ROWS = COLUMNS = 8


def learned_fields() -> tuple[torch.Tensor, float]:
    """Return the first layer's weights less those it had, ``(neurons, height, width)``, and the test error."""
    data = load_dataset("mnist", train_images=IMAGES)
    chips = fabricate_chips([LayerSpec(Ideal)] * len(WIDTHS), (data.n_in, *WIDTHS), data.classes, seeds=[0])
    given: dict[str, Any] = {"slope": "assumed", "scale": 12.0, "learning_rate": 0.003, "label_strength": 1.0}
    options = ForwardForwardOptions(negatives="random", **given)
    rule = ForwardForward(chips.seal(ForwardForward.needs(options)), options, seed=0)
    born = chips.devices[0].weights.clone()  # type: ignore[operator]
    *_, last = train(rule, chips, data, epochs=EPOCHS)
    learned = (chips.devices[0].weights - born)[0]  # type: ignore[operator]
    return learned.unflatten(1, data.image[1:]), float(last.test_error[0])  # type: ignore[index]


def draw(fields: torch.Tensor) -> Figure:
    """Draw the first fields, each on a scale of its own that is symmetric about 0 (white)."""
    figure = Figure(figsize=(WIDTH_INCHES, WIDTH_INCHES), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)  # type: ignore[union-attr]
    panels = figure.subplots(ROWS, COLUMNS).ravel()
    for axes, field in zip(panels, fields[: ROWS * COLUMNS], strict=True):
        most = float(field.abs().quantile(0.995))
        axes.imshow(field.numpy(), cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
        axes.set_axis_off()
    return figure


def main(folder: Path) -> None:
    """Train, draw, and say how good the net is."""
    torch.set_num_threads(1)
    fields, error = learned_fields()
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    draw(fields).savefig(folder / "fields.png", dpi=200)
    print(f"test error after {EPOCHS} epochs of {IMAGES} images: {error:.2f} %")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
