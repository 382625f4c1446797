"""Data sets as tensors; MNIST ships inside the package (Y. LeCun and C. Cortes, CC BY-SA 3.0)."""

from analogff.data.dataset import Dataset, Split, check_dataset, dataset_names, fingerprint, load_dataset
from analogff.data.errors import DataError
from analogff.data.features import Range
from analogff.data.image_shape import ImageShape
from analogff.data.jitter import check_jitter, jittered
from analogff.data.pixels import LEAST_SCALE, MOST_SCALE, Scale

__all__ = [
    "LEAST_SCALE",
    "MOST_SCALE",
    "DataError",
    "Dataset",
    "ImageShape",
    "Range",
    "Scale",
    "Split",
    "check_dataset",
    "check_jitter",
    "dataset_names",
    "fingerprint",
    "jittered",
    "load_dataset",
]
