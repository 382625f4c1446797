"""Labels, and the lines on which they enter a network."""

from collections.abc import Sequence

import torch

from analogff.data import ImageShape
from analogff.device import SharedInputs
from analogff.network import heard
from analogff.support.draws import uniform

NEUTRAL = 0.1


class Labels:
    """How labels reach a network: as one-hot numbers on its first input lines.

    Args:
        place: ``overlay``: written over the first pixels. ``lines``: on lines of their own before the pixels, none
            of which is lost. ``rows``: as ``lines``, and before the inputs of every later hidden layer too.
        classes: Number of labels.
        strength: Factor on the one-hot numbers, and on those of the neutral label.

    Reference:
        Overlay: Hinton, The Forward-Forward Algorithm (2022), section 3.3.
    """

    def __init__(self, place: str, classes: int, strength: float = 1.0):
        self.place, self.classes, self.strength = place, classes, strength

    def refuse(self, n_in: int, image: ImageShape | None) -> None:
        """Refuse to write labels over what is no corner of an image, or over all of it.

        Raises:
            ValueError: If it would come to that.
        """
        if self.place != "overlay" or (image is not None and self.classes < n_in):
            return
        of = f"the first {self.classes} of {n_in} columns" if image is None else f"all of the {n_in} pixels"
        raise ValueError(
            f'Expected labels = "lines" or "rows" for {self.classes} classes beside such data. Got "overlay", which '
            f'would write over {of}. Write labels = "lines".'
        )

    @property
    def over(self) -> int:
        """How many of the first lines of an image are written over."""
        return self.classes if self.place == "overlay" else 0

    def layer_shapes(self, n_in: int, widths: Sequence[int]) -> list[tuple[int, int]]:
        """Return inputs and outputs of every layer, the head last."""
        first = 0 if self.place == "overlay" else self.classes
        later = self.classes if self.place == "rows" else 0
        below = [n_in + first, *(heard(width) + later for width in widths[:-1]), heard(widths[-1])]
        return list(zip(below, [*widths, self.classes], strict=True))

    def make_room(self, images: torch.Tensor) -> torch.Tensor:
        """Return images whose first lines may be written over, ``(batch, n_in)`` to ``(batch, inputs)``."""
        return images if self.place == "overlay" else torch.nn.functional.pad(images, (self.classes, 0))

    def write(self, images: torch.Tensor, labels: torch.Tensor) -> SharedInputs:
        """Write several labels into images that have room; see `variants`."""
        marked = variants(images, labels, self.classes)
        return marked if self.strength == 1 else SharedInputs(marked.shared, marked.marks * self.strength)

    def write_one(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Write one label, ``(batch,)``, into each image that has room; see `overlay`."""
        return overlay(images, labels, self.classes, self.strength)

    def write_neutral(self, images: torch.Tensor) -> torch.Tensor:
        """Write the label that says nothing into images that have room."""
        return overlay_neutral(images, self.classes, self.strength)

    def rows(self, labeled: torch.Tensor | SharedInputs) -> torch.Tensor | None:
        """Return the label signals of every later layer, ``(chips or 1, rows, classes)``; None without any."""
        if self.place != "rows":
            return None
        return labeled.marks.flatten(1, 2) if isinstance(labeled, SharedInputs) else labeled[None, :, : self.classes]


def drawn_labels(labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw a label for each image from soft ones, ``(batch, classes)`` to ``(batch,)``; labels are returned unchanged.

    A pass shows one label. Over many steps each is shown as often as it is believed.
    """
    if not labels.is_floating_point():
        return labels
    ladder = labels.cumsum(-1)
    drawn = uniform(labels.shape[:1], generator, labels.device).clamp(max=1 - 1e-5).unsqueeze(-1) * ladder[..., -1:]
    return (ladder > drawn).int().argmax(-1)


def variants(images: torch.Tensor, labels: torch.Tensor, classes: int) -> SharedInputs:
    """As `overlay`, with several labels for each image, of which a simulation may share what they have in common.

    Shapes:
        ``images``: ``(batch, n)``; ``labels``: ``(variants, batch)`` or ``(chips, variants, batch)``.
    """
    shared = images.clone()
    shared[:, :classes] = 0
    marks = torch.nn.functional.one_hot(labels, classes).to(images.dtype)
    return SharedInputs(shared.unsqueeze(0), marks if labels.dim() == 3 else marks.unsqueeze(0))


def overlay(images: torch.Tensor, labels: torch.Tensor, classes: int, strength: float = 1.0) -> torch.Tensor:
    """Write one-hot labels, times the strength, over the first pixels.

    Shapes:
        ``images``: ``(batch, n)``; ``labels``: ``(batch,)`` or ``(chips, batch)``. Returns ``(batch, n)`` or
        ``(chips, batch, n)``.

    Reference:
        Hinton (2022), section 3.3.
    """
    marked = images.expand(*labels.shape, -1).clone()
    marked[..., :classes] = 0
    return marked.scatter_(-1, labels.unsqueeze(-1), strength)


def overlay_neutral(images: torch.Tensor, classes: int, strength: float = 1.0) -> torch.Tensor:
    """Write the label that says nothing, 0.1 times the strength for every class."""
    marked = images.clone()
    marked[..., :classes] = NEUTRAL * strength
    return marked
