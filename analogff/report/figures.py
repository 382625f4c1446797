"""The figures of a study inside a page: SVG, or PNG where that would be too large."""

import base64
import dataclasses
import io
import itertools
import re
import warnings
from html import escape

from markupsafe import Markup

from analogff.figures import LeftOut
from analogff.figures.draw import FIGURES, draw_one
from analogff.figures.drawing import Drawing
from analogff.figures.results import Missing, Results
from analogff.figures.style import styled

MOST = 20
"""Figures of a page."""
MOST_BYTES = 400_000
"""Size up to which a figure is SVG."""
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


@dataclasses.dataclass(frozen=True)
class Shown:
    """A figure of a page."""

    name: str
    """Name of its file in ``DIR/figures``."""
    picture: Markup
    """SVG or an image element, as HTML."""
    csv: str
    """The plotted numbers, as a link that holds them."""
    caption: str
    """What is shown."""


def shown(results: Results) -> tuple[list[Shown], int]:
    """Return the first figures of a study, of all kinds in turn, and how many there are."""
    with styled(), warnings.catch_warnings():
        warnings.simplefilter("ignore", LeftOut)
        kinds = [_drawings(kind, results) for kind in FIGURES]
        in_turn = [d for row in itertools.zip_longest(*kinds) for d in row if d is not None]
        chosen = {id(drawing) for drawing in in_turn[:MOST]}
        drawings = [drawing for kind in kinds for drawing in kind if id(drawing) in chosen]
        return [_shown(n, drawing, results) for n, drawing in enumerate(drawings, 1)], len(in_turn)


def _drawings(kind: str, results: Results) -> list[Drawing]:
    """Return the drawings of a kind; none where results lack what it needs."""
    try:
        return list(draw_one(kind, results))
    except Missing:
        return []


def _shown(number: int, drawing: Drawing, results: Results) -> Shown:
    picture = _inline(_saved(drawing, "svg").decode(), f"f{number}-", drawing.name)
    if len(picture) > MOST_BYTES:
        data = base64.b64encode(_saved(drawing, "png")).decode()
        picture = f'<img alt="{escape(drawing.name)}" src="data:image/png;base64,{data}">'
    numbers = base64.b64encode(drawing.table.to_csv(index=False).encode()).decode()
    caption = drawing.caption or f"{drawing.name}."
    return Shown(drawing.name, Markup(picture), f"data:text/csv;base64,{numbers}", caption)


def _saved(drawing: Drawing, form: str) -> bytes:
    buffer = io.BytesIO()
    drawing.figure.savefig(buffer, format=form, metadata=_NO_METADATA if form == "svg" else None)
    return buffer.getvalue()


def _inline(svg: str, prefix: str, name: str) -> str:
    """Return an SVG file as an element of a page: its names are its own, and a reader without eyes hears what it is."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r'(\bid="|\bhref="#|url\(#)', rf"\1{prefix}", element)
    return element.replace("<svg ", f'<svg role="img" aria-label="{escape(name)}" ', 1)
