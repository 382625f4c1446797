"""What connections have in common whose input lines are an image: whether their options fit it."""

from typing_extensions import override

from analogff.device.connections.connection import Connection
from analogff.device.connections.squares import check_image_of_squares, check_squares


class OnImage(Connection):
    """A connection of pieces of an image.

    Its options are, beside its own, `channels`, `height`, `before` and `over`, see `LocalFields`. The last two are
    filled in from the lines of the layer where they are None.
    """

    @classmethod
    @override
    def check_size(cls, n_in, n_out, *, channels=1, height=0, before=None, over=None, **_):
        check_squares(n_in, channels=channels, height=height, before=before or 0, over=over or 0)

    @classmethod
    @override
    def check_image(cls, n_in, image, *, channels=1, height=0, before=None, **_):
        check_image_of_squares(n_in, image, channels=channels, height=height, before=before or 0)

    @classmethod
    @override
    def on_lines(cls, lines, options):
        given = {name: value for name, value in options.items() if value is not None}
        return {"before": lines.before, "over": lines.over} | given


def lines_beside(n_in: int, before: int | None, over: int | None) -> tuple[int, int]:
    """Return the lines before an image and those over it, no more than there are.

    A layer smaller than its options say may still be made, to be tried; `OnImage.check_size` refuses it later.
    """
    before = min(before or 0, n_in - 1)
    return before, min(over or 0, n_in - before)
