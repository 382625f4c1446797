"""Train black-box analog hardware with forward passes, and compare honestly."""

from typing import TYPE_CHECKING

__version__ = "0.21.1"

if TYPE_CHECKING:
    from analogff.api import Network, Results, Study, StudyFailed, run, train
    from analogff.classifier import FFClassifier
    from analogff.device import Datasheet, Device

_API = ("Network", "Results", "Study", "StudyFailed", "run", "train")
__all__ = [
    "Datasheet",
    "Device",
    "FFClassifier",
    "Network",
    "Results",
    "Study",
    "StudyFailed",
    "__version__",
    "run",
    "train",
]


def __getattr__(name: str):
    """Import what is public on first use, so that the command line starts without torch."""
    if name in ("Datasheet", "Device"):
        from analogff import device

        return getattr(device, name)
    if name == "FFClassifier":
        from analogff.classifier import FFClassifier

        return FFClassifier
    if name in _API:
        from analogff import api

        return getattr(api, name)
    raise AttributeError(f"module 'analogff' has no attribute {name!r}")
