"""Error of each layer alone against epochs."""

from collections.abc import Iterator

from matplotlib.ticker import MaxNLocator

from analogff.figures.aggregate import everywhere, intervals
from analogff.figures.drawing import Drawing
from analogff.figures.lines import draw_panels
from analogff.figures.results import FILES, PANELS, Results, at_first_numbers, at_most, points
from analogff.study.results.names import file_name


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each named value (a family, a model), at the first value of each number.

    Each rule variant has a panel.
    """
    layers_alone = results.tables["layers"]
    if layers_alone.empty or layers_alone["epoch"].nunique() < 2:
        return
    errors, named, at = at_first_numbers(results, layers_alone)
    if errors.empty:
        return
    errors["layer"] = errors["layer"].map("layer {}".format)
    layers = list(errors["layer"].unique())
    for point, part in at_most(points(everywhere(errors, named), named), FILES, "figures of layers' errors"):
        table = intervals(part, ["variant", *named, "layer", "epoch"], column="error")
        of_variant = dict(iter(table.groupby("variant")))
        panels = [
            (variant, of_variant[variant].drop(columns="variant").rename(columns={"layer": "variant"}))
            for variant in at_most(
                filter(of_variant.__contains__, results.variants), PANELS, "panels of layers' errors"
            )
        ]
        figure = draw_panels(panels, "epoch", layers, "epoch", error=f"{results.kept_images} error / %")
        figure.axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        yield Drawing(file_name("layer_error_vs_epoch", point, *at), figure, table)
