"""Train black-box analog hardware with forward passes, and compare honestly."""

from typing import TYPE_CHECKING

__version__ = "0.15.0"

if TYPE_CHECKING:
    from analogff.classifier import FFClassifier
    from analogff.device import Datasheet, Device

__all__ = ["Datasheet", "Device", "FFClassifier", "__version__"]


def __getattr__(name: str):
    """Import the contract and the classifier on first use, so that the command line starts without torch."""
    if name in ("Datasheet", "Device"):
        from analogff import device

        return getattr(device, name)
    if name == "FFClassifier":
        from analogff.classifier import FFClassifier

        return FFClassifier
    raise AttributeError(f"module 'analogff' has no attribute {name!r}")
