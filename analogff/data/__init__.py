"""Data sets as tensors; MNIST ships inside the package (Y. LeCun and C. Cortes, CC BY-SA 3.0)."""

from analogff.data.dataset import Dataset, Split, check_dataset, dataset_names, fingerprint, load_dataset
from analogff.data.errors import DataError
from analogff.data.jitter import check_jitter, jittered

__all__ = [
    "DataError",
    "Dataset",
    "Split",
    "check_dataset",
    "check_jitter",
    "dataset_names",
    "fingerprint",
    "jittered",
    "load_dataset",
]
