"""Error of each layer alone against epochs."""

from collections.abc import Iterator
from functools import partial

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analogff.figures.aggregate import everywhere, intervals
from analogff.figures.drawing import Drawing
from analogff.figures.lines import Tables, draw_panels
from analogff.figures.results import PANELS, Missing, Results, at_first_numbers, at_most, points
from analogff.figures.scales import choose_axis
from analogff.figures.style import looks
from analogff.study.results.names import file_name


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each named value (a family, a model), at the first value of each number.

    Each rule variant has a panel.
    """
    layers_alone = results.tables["layers"]
    several = len(layers_alone) and layers_alone["epoch"].nunique() > 1
    errors, named, at = at_first_numbers(results, layers_alone) if several else (layers_alone, [], [])
    if errors.empty or not several:
        raise Missing(
            "layer_error_vs_epoch: Expected errors of each layer alone at several epochs. Got none. Train a rule that "
            "decides by layers, such as forward-forward, for more epochs."
        )
    errors["layer"] = errors["layer"].map("layer {}".format)
    layers = list(errors["layer"].unique())
    for point, part in points(everywhere(errors, named), named):
        table = intervals(part, ["variant", *named, "layer", "epoch"], column="error")
        of_variant = dict(iter(table.groupby("variant")))
        panels = [
            (variant, of_variant[variant].drop(columns="variant").rename(columns={"layer": "variant"}))
            for variant in at_most(
                filter(of_variant.__contains__, results.variants), PANELS, "panels of layers' errors"
            )
        ]
        caption = f"Error of each layer alone on {results.kept_images} images, against the epochs of training."
        make = partial(_draw, results, panels, layers, ", ".join(filter(None, [point, *at])))
        yield Drawing(file_name("layer_error_vs_epoch", point, *at), make, table, caption)


def _draw(results: Results, panels: Tables, layers: list[str], title: str) -> Figure:
    error = f"{results.kept_images} error / %"
    choice = results.axis("error")
    figure = draw_panels(panels, "epoch", looks(layers), "epoch", error=error, choice=choice, title=title)
    figure.axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    choose_axis(figure.axes, results.axis("epoch"))
    return figure
