"""Square pieces of an image: their lines, and whether options fit the image."""

import math

import torch

from analogff.device.errors import ContractError


def fields_of(
    n_in: int, field: int, stride: int, channels: int = 1, before: int = 0, over: int = 0, height: int = 0
) -> torch.Tensor:
    """Return the lines that each field hears, ``(fields, before + over + channels field^2)``; ``n_in`` for none.

    Example:
        >>> fields_of(9, 2, 1).tolist()
        [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]
        >>> fields_of(8, 1, 1, channels=2).tolist()
        [[0, 1], [2, 3], [4, 5], [6, 7]]
        >>> fields_of(8, 2, 2, height=2).tolist()
        [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    points = -(-(n_in - before) // channels)
    height, width = (height, -(-points // height)) if height else (_side(points),) * 2
    starts = [_starts(side, field, stride) for side in (height, width)]
    inside = [torch.arange(min(field, side)) for side in (height, width)]
    rows = (starts[0][:, None, None, None] + inside[0][:, None]) * width  # (down, 1, field, 1)
    columns = starts[1][:, None, None] + inside[1]  # (across, 1, field)
    seen = (rows + columns).flatten(2).flatten(0, 1)
    heard = (seen[..., None] * channels + torch.arange(channels)).flatten(1) + before
    common = before + over
    heard = heard.masked_fill((heard >= n_in) | (heard < common), n_in)
    return torch.cat([torch.arange(common).expand(len(heard), -1), heard], dim=1)


def check_squares(n_in: int, *, channels: int, height: int, before: int, over: int) -> None:
    """Refuse numbers that make no image of the lines of a layer; see `fields_of`.

    Raises:
        ContractError: If so.
    """
    image = n_in - before
    if over >= image:
        raise ContractError(
            f"Expected lines of an image beside {before} before it and {over} over it. Got {n_in} lines in all. "
            "Give smaller numbers for before and over."
        )
    points, rest = divmod(image, channels)
    if height and (rest or points % height):
        raise ContractError(
            f"Expected points in rows of one length, of the {image} lines of this layer. Got channels = {channels} "
            f"and height = {height}, which make rows of {image / channels / height:.6g}. Give numbers that divide."
        )
    if channels > 1 and not height and (rest or math.isqrt(points) ** 2 != points):
        raise ContractError(
            f"Expected channels that make a square image of the {image} lines of this layer. Got {channels}, which "
            f"make {image / channels:.6g} points. Give the width of the layer before over the number of its fields."
        )


def check_image_of_squares(
    n_in: int, image: tuple[int, int, int] | None, *, channels: int, height: int, before: int
) -> None:
    """Refuse numbers that are not those of the images of a first layer.

    Args:
        n_in: Input lines.
        image: Channels, height and width; None for a table.
        channels: Lines of each point.
        height: Rows of points; 0 for as many as columns.
        before: Lines before the image.

    Raises:
        ContractError: If so.
    """
    if image is None:
        raise ContractError(
            "Expected images (n, height, width), which fields are parts of. Got a table, whose columns are in no "
            "place. Take the class of the small chips itself."
        )
    right = {"channels": image[0], "height": image[1], "before": n_in - math.prod(image)}
    given = {"channels": channels, "height": height or _side(math.prod(image[1:])), "before": before}
    if given != right:
        raise ContractError(
            f"Expected {_listed(right)}, as {image[0]} x {image[1]} x {image[2]} images (channels, height, width) "
            f"have. Got {_listed(given)}. Write the former."
        )


def _side(points: int) -> int:
    """Return the side of the smallest square that holds so many points."""
    return math.isqrt(points - 1) + 1


def _starts(side: int, field: int, stride: int) -> torch.Tensor:
    """Return where fields begin along a side: every stride, and where the last one ends with it."""
    last = side - min(field, side)
    return torch.tensor([*range(0, last, stride), last])


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in numbers.items())
