"""Layers that a study file writes as tables: convolutions, and devices of their own."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from analogff.network import ConvolutionLayer, DenseLayer, Layer
from analogff.support.mistakes import Mistake, from_pydantic, shown

_ADVICE = "Write {conv = 96, kernel = 3}, {dense = 500}, or a width."


def read_layers(listed: Any) -> tuple[Any, dict[int, Layer], list[Mistake]]:
    """Read the layers that are tables.

    Returns:
        The layers with a width of 1 in place of each table; what the tables say, by layer; and the mistakes in them.
    """
    if not isinstance(listed, list):
        return [1], {}, [Mistake("layers", "a list of layers", shown(listed), "Write layers = [64, 64], for example.")]
    tables: dict[int, Layer] = {}
    mistakes: list[Mistake] = []
    for n, table in enumerate(listed):
        if isinstance(table, dict):
            layer, wrong = _read(table, f"layers.{n}")
            mistakes += wrong
            tables |= {} if layer is None else {n: layer}
    return [1 if isinstance(layer, dict) else layer for layer in listed], tables, mistakes


def own_devices(document: dict[str, Any]) -> Iterator[tuple[int, str, Any]]:
    """Yield the devices that layers carry: which layer, the path of the table, and the table."""
    listed = document.get("layers")
    for n, layer in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(layer, dict) and "device" in layer:
            yield n, f"layers.{n}.device", layer["device"]


def _read(table: dict[str, Any], path: str) -> tuple[Layer | None, list[Mistake]]:
    kinds = [model for key, model in (("conv", ConvolutionLayer), ("dense", DenseLayer)) if key in table]
    if len(kinds) != 1:
        return None, [Mistake(path, "either conv or dense in a layer", shown(table), _ADVICE)]
    plain = {name: value for name, value in table.items() if name != "device"}
    try:
        layer = kinds[0].model_validate_json(json.dumps(plain, default=str), strict=True)
    except ValidationError as error:
        what = f"a field of a {'convolution' if kinds[0] is ConvolutionLayer else 'dense layer'}"
        return None, from_pydantic(error, path, what, [*kinds[0].model_fields, "device"])
    return (layer.dense if isinstance(layer, DenseLayer) else layer), []
