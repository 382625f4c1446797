"""Layers as a study writes them, and what they come to on images of a shape."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, field_validator

from analogff.data import ImageShape
from analogff.network.pooling import Pooling, PoolKind, Width

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ConvolutionLayer(BaseModel):
    """A layer that slides over an image; its array is read once for each position."""

    model_config = _MODEL

    conv: Annotated[int, Ge(1)]
    """Channels of its map."""
    kernel: Annotated[int, Ge(1)] = 3
    """Side of a window, in points."""
    stride: Annotated[int, Ge(1)] = 1
    """Points from one window to the next."""
    padding: Annotated[int, Ge(0)] | None = None
    """Rows and columns of zeros around the image; half of the kernel by default."""
    groups: Annotated[int, Ge(1)] = 1
    """Groups of neighboring channels, below and in its map, connected one to one; each has an array of its own."""
    pool: Annotated[int, Ge(1)] = 1
    """Side of the squares that the map is pooled over; 1 for no pooling."""
    pool_kind: PoolKind = "max"
    """What becomes of a square: its `max`, or its `average`."""

    @field_validator("pool_kind")
    @classmethod
    def _pooling_is_used(cls, value, info):
        if value != "max" and info.data.get("pool") == 1:
            raise ValueError("pool above 1 beside it")
        return value


class DenseLayer(BaseModel):
    """A layer whose outputs each hear every line."""

    model_config = _MODEL

    dense: Annotated[int, Ge(1)]
    """Width."""


Layer = int | ConvolutionLayer
"""A layer of a study: the width of a dense one, or a convolution."""


@dataclasses.dataclass(frozen=True)
class Planned:
    """A layer on images of a known shape."""

    width: int
    """Its outputs; a `Width` if it is a convolution."""
    options: dict[str, Any] | None = None
    """Options of `analogff.device.Convolution`; None for a dense layer."""
    pooling: Pooling | None = None
    """What becomes of its map."""


def layer_text(layer: Layer | Mapping[str, Any]) -> str:
    """Return a layer in short: channels, kernel, stride and groups of a convolution, and its pooling (max or average).

    Example:
        >>> layer_text(500), layer_text(ConvolutionLayer(conv=96, pool=2)), layer_text({"conv": 8, "stride": 2})
        ('500', '96C3-MP2', '8C3s2')
        >>> layer_text({"conv": 80, "groups": 10, "pool": 2, "pool_kind": "average"})
        '80C3g10-AP2'
    """
    if isinstance(layer, int):
        return str(layer)
    if isinstance(layer, Mapping):
        if "dense" in layer:
            return str(layer["dense"])
        layer = ConvolutionLayer(**{name: value for name, value in layer.items() if name != "device"})
    stride = "" if layer.stride == 1 else f"s{layer.stride}"
    pooled = "" if layer.pool == 1 else f"-{'MP' if layer.pool_kind == 'max' else 'AP'}{layer.pool}"
    grouped = "" if layer.groups == 1 else f"g{layer.groups}"
    return f"{layer.conv}C{layer.kernel}{stride}{grouped}{pooled}"


def plan_layers(layers: Sequence[Layer], image: ImageShape | None) -> list[Planned]:
    """Return what layers come to.

    Args:
        layers: As a study has them.
        image: How the input lines are a picture; None for a table.

    Raises:
        ValueError: If a convolution does not fit what it hears; says what would be right.
    """
    planned: list[Planned] = []
    for n, layer in enumerate(layers):
        if isinstance(layer, int):
            planned.append(Planned(layer))
            image = None
            continue
        if image is None:
            what = "the outputs of a dense layer" if n else "a table, whose columns are in no place"
            raise ValueError(
                f"Expected an image for layer {n + 1}, a convolution, to slide over. Got {what}. Write convolutions "
                "first, and dense layers behind them."
            )
        planned.append(_convolution(layer, image, n + 1))
        image = _onward(planned[-1], layer.conv, image, layer)
    return planned


def _convolution(layer: ConvolutionLayer, image: ImageShape, number: int) -> Planned:
    map_of = _map(layer, image)
    if min(map_of) < 1:
        margin = _padding(layer)
        raise ValueError(
            f"Expected a kernel of layer {number} that fits on its image of {image.height} x {image.width} points with "
            f"{margin} zeros on each side. Got kernel = {layer.kernel}. Give a smaller one, more padding, or less "
            "pooling before."
        )
    if any(side > 1 and side % layer.pool for side in map_of):
        raise ValueError(
            f"Expected pool of layer {number} to divide its map of {map_of[0]} x {map_of[1]} points. Got pool = "
            f"{layer.pool}. Give another one, or other padding or stride."
        )
    if image.channels % layer.groups or layer.conv % layer.groups:
        raise ValueError(
            f"Expected groups of layer {number} to divide the {image.channels} channels below it and its own "
            f"{layer.conv}. Got groups = {layer.groups}. Give another number, or other channels."
        )
    options = {
        "kernel": layer.kernel,
        "stride": layer.stride,
        "padding": _padding(layer),
        "channels": image.channels,
        "height": image.height,
    }
    options |= {} if layer.groups == 1 else {"groups": layer.groups}
    outputs = layer.conv * math.prod(map_of)
    shape = {"channels": layer.conv, "height": map_of[0], "width": map_of[1]}
    pooling = None if layer.pool == 1 else Pooling(**shape, size=layer.pool, kind=layer.pool_kind)
    heard = outputs if pooling is None else pooling.n_out
    return Planned(Width(outputs, heard=heard, channels=layer.conv), options, pooling)


def _padding(layer: ConvolutionLayer) -> int:
    return layer.kernel // 2 if layer.padding is None else layer.padding


def _map(layer: ConvolutionLayer, image: ImageShape) -> tuple[int, int]:
    """Return positions down and across; a side of one point has a kernel of one, as `analogff.device.Windows` says."""
    down, across = (
        1 if side == 1 else (side + 2 * _padding(layer) - layer.kernel) // layer.stride + 1
        for side in (image.height, image.width)
    )
    return down, across


def _onward(planned: Planned, channels: int, image: ImageShape, layer: ConvolutionLayer) -> ImageShape:
    """Return the image that the next layer hears."""
    return ImageShape(channels, *(_map(layer, image) if planned.pooling is None else planned.pooling.map))
