"""The one exception of the data room."""


class DataError(ValueError):
    """A data set is missing, damaged, or smaller than what was asked of it."""
