"""Train black-box analog hardware with forward passes, and compare honestly."""

from typing import TYPE_CHECKING

__version__ = "0.16.0"

if TYPE_CHECKING:
    from analogff.api import Results, run
    from analogff.classifier import FFClassifier
    from analogff.device import Datasheet, Device

__all__ = ["Datasheet", "Device", "FFClassifier", "Results", "__version__", "run"]


def __getattr__(name: str):
    """Import what is public on first use, so that the command line starts without torch."""
    if name in ("Datasheet", "Device"):
        from analogff import device

        return getattr(device, name)
    if name == "FFClassifier":
        from analogff.classifier import FFClassifier

        return FFClassifier
    if name in ("Results", "run"):
        from analogff import api

        return getattr(api, name)
    raise AttributeError(f"module 'analogff' has no attribute {name!r}")
