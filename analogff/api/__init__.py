"""Studies from Python: run one, and hold its results."""

from analogff.api.chip import KeptChip
from analogff.api.results import Results
from analogff.api.run import run

__all__ = ["KeptChip", "Results", "run"]
