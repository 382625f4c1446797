"""Python: run studies and hold their results, or train a network epoch by epoch."""

from analogff.api.chip import KeptChip
from analogff.api.network import Network
from analogff.api.results import Results
from analogff.api.run import StudyFailed, run
from analogff.api.study import Study
from analogff.api.training import Training, train
from analogff.training.epoch import Epoch

__all__ = ["Epoch", "KeptChip", "Network", "Results", "Study", "StudyFailed", "Training", "run", "train"]
