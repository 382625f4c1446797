"""Data sets as tensors; MNIST ships inside the package (Y. LeCun and C. Cortes, CC BY-SA 3.0)."""

from analogff.data.augmentation import Augmentation
from analogff.data.choice import DataChoice
from analogff.data.dataset import Dataset, Split, check_dataset, fingerprint, load_dataset, look_at_dataset
from analogff.data.errors import DataError
from analogff.data.features import Range
from analogff.data.image_shape import ImageShape
from analogff.data.jitter import check_jitter, jittered
from analogff.data.known import CREDITS, title
from analogff.data.pixels import LEAST_SCALE, MOST_SCALE, Scale
from analogff.data.sources import dataset_names

__all__ = [
    "CREDITS",
    "LEAST_SCALE",
    "MOST_SCALE",
    "Augmentation",
    "DataChoice",
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
    "look_at_dataset",
    "title",
]
