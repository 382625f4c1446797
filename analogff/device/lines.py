"""What comes with the signal on the input lines of a layer."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputLines:
    """Input lines of a layer that do not carry the outputs of the layer before, or the pixels of an image."""

    before: int = 0
    """Lines before the signal: labels, or the outputs of another layer."""
    over: int = 0
    """First lines of the signal that labels are written over."""
