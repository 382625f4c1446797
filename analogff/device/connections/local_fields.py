"""Local receptive fields without shared weights: an array for each part of an image."""

import functools
from typing import Annotated

from annotated_types import Ge
from typing_extensions import override

from analogff.device.connections.connected import Connected, connected
from analogff.device.connections.on_image import OnImage, lines_beside
from analogff.device.connections.squares import fields_of
from analogff.device.protocol import Device
from analogff.device.seeds import derive_seed


class LocalFields(OnImage):
    r"""An array for each field of an image.

    .. math:: y = (f(W_1 x_{F_1}), \dots, f(W_P x_{F_P})), \qquad F_p \subset \{1, \dots, n_{in}\}

    The inputs are points row by row, in `height` rows or on the smallest square that holds them, each of one line or of
    `channels` together. Fields are squares of `field` points a side, every `stride` points and at both ends. Outputs
    come field by field, so that the fields of one layer are the points of the next, with as many channels as each
    has neurons. Each field of a chip is a chip of its own, with the seed ``derive_seed(seed, "field", p)``. Weights are
    not shared. The lines before the image and those written over go to every field.

    Args:
        n_in: Lines of the image, and those before it.
        n_out: Outputs of all fields together.
        field: Side of a field, in points; the whole height or width if that is smaller.
        stride: Points from one field to the next.
        channels: Lines of each point.
        height: Rows of points; 0 for as many as columns.
        before: Lines before the image; in a study, those of the rule if None, else none.
        over: First lines of the image that are no pixels; in a study, those that the rule writes labels over if None,
            else none.

    Example:
        >>> from analogff.device import Digital
        >>> local_fields(Digital)(784, 490, seed=[0], field=10, stride=3).datasheet.conversions
        (0, 0)

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), sections 3.2 and 4: "local receptive fields
        (without weight-sharing)".
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        field: Annotated[int, Ge(1)],
        stride: Annotated[int, Ge(1)] = 1,
        channels: Annotated[int, Ge(1)] = 1,
        height: Annotated[int, Ge(0)] = 0,
        before: Annotated[int, Ge(0)] | None = None,
        over: Annotated[int, Ge(0)] | None = None,
    ):
        before, over = lines_beside(n_in, before, over)
        lines = fields_of(n_in, field, stride, channels, before, over, height)
        super().__init__(n_in, n_out, lines.unsqueeze(1), common=before + over)

    @override
    def seeds(self, seed):
        return [derive_seed(seed, "field", p) for p in range(self.arrays)]


@functools.cache
def local_fields(model: type[Device]) -> type[Connected]:
    """Return the class of local fields of a class, which takes its parameters beside those of `LocalFields`.

    In a study file or on the command line it is ``model = "local-fields(NAME)"``.
    """
    return connected(LocalFields, model)
