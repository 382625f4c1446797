"""The scikit-learn classifier."""

import warnings
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from analogff.classifier.machine import Machine
from analogff.classifier.plan import make_plan
from analogff.data import Range
from analogff.training.epoch import Epoch


class FFClassifier(ClassifierMixin, BaseEstimator):
    r"""A classifier that learns by Forward-Forward on one simulated analog chip.

    Each class has an input line before the features. To classify, every class is tried, and

    .. math:: P(c \mid x) = \mathrm{softmax}_c\left(\sum_l \alpha_l G_l(x, c)\right)

    with the goodness ``G`` of each layer (the mean of its squared activities) and its factor ``alpha`` in the training
    loss (option ``scale``, by default measured by each layer). For losses of label pairs these are the odds. The
    probabilities come from one set of reads of the chip and are not calibrated. `predict` returns the most probable
    class. The classifier shows what a device can learn; it is not meant for speed or best accuracy.

    Args:
        device: The device of every layer: a registered name (`analogff devices` lists them),
            ``package.module:Class``, ``path/to/file.py:Class``, or a class derived from `analogff.Device`.
        device_parameters: Its parameters by name, such as ``{"read_noise": 0.1}``; defaults if None.
        layers: Widths of the hidden layers.
        epochs: Passes through the training samples.
        batch: Samples in a step.
        learning_rate: Learning rate of Adam; constant for half of the training, then linear to zero.
        slope: Source of a neuron's slope: ``"auto"`` (``"probed"`` if the device has a bias port, else ``"assumed"``),
        or a value of the rule's option ``slope``.
        rule_options: Further options of the rule ``forward-forward`` by name; defaults if None.
        chip: Chip seed.
        random_state: Seed of the order of samples and of the negatives; not of the chip.

    Attributes:
        classes_: The labels, sorted.
        n_features_in_: Number of columns.
        feature_names_in_: Their names, if all are texts.
        loss_curve_: Training loss of each epoch.
        reads_: Input vectors through the chip's layers in training.
        cost_: Further costs of training: conversions, pulses, device_seconds, device_joules.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> FFClassifier(random_state=0).fit(X, y).score(X, y) > 0.9
        True

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 3.3.
    """

    def __init__(
        self,
        device="ideal",
        *,
        device_parameters=None,
        layers=(200, 200),
        epochs=20,
        batch=32,
        learning_rate=0.003,
        slope="auto",
        rule_options=None,
        chip=0,
        random_state=None,
    ):
        self.device = device
        self.device_parameters = device_parameters
        self.layers = layers
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.slope = slope
        self.rule_options = rule_options
        self.chip = chip
        self.random_state = random_state

    def fit(self, X, y):
        """Make the chip anew, and train it.

        Args:
            X: Numbers, ``(n, columns)``.
            y: A label for each row.

        Returns:
            Itself.

        Raises:
            ValueError: If the data or a parameter is invalid.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_, labels = _numbered(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"Expected samples of at least two classes. Got one class, {self.classes_.tolist()[0]!r}. "
                "Add samples of another."
            )
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        arguments = self.get_params(deep=False)
        del arguments["random_state"]
        plan = make_plan(arguments.pop("device"), arguments.pop("device_parameters"), **arguments)
        self._range = Range.of(np.asarray(X))
        x = self._lines(X)
        self._machine = Machine(plan, x.shape[1], len(self.classes_), seed)
        epochs = self._machine.teach(x, torch.from_numpy(labels.astype(np.int64)))
        self._report(epochs)
        return self

    def predict_proba(self, X):
        """Return the probability of each class as defined in the class docstring, ``(n, classes)`` float32.

        Every call is a new set of reads: a noisy device gives different outputs at each call.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self._machine.beliefs(self._lines(X)).numpy()

    def predict(self, X):
        """Return the most probable class of each row; one call of `predict_proba`."""
        probable = self.predict_proba(X)
        return self.classes_[probable.argmax(1)]

    def _lines(self, X: Any) -> torch.Tensor:
        return torch.from_numpy(self._range.lines(X))

    def _report(self, epochs: list[Epoch]) -> None:
        """Store the attributes of the training."""
        last = epochs[-1]
        self.loss_curve_ = [float(epoch.train_loss[0]) for epoch in epochs]
        self.reads_ = int(last.reads[0])
        self.cost_ = {
            "conversions": int(last.conversions[0]),
            "pulses": int(last.pulses[0]),
            "device_seconds": float(last.device_seconds[0]),
            "device_joules": float(last.device_joules[0]),
        }
        if last.diverged[0]:
            warnings.warn(
                f"Expected a training loss that stays near its first value or below. Got up to "
                f"{max(self.loss_curve_, key=abs):g}. Lower learning_rate, or device noise.",
                ConvergenceWarning,
                stacklevel=3,
            )


def _numbered(y: Any) -> Any:
    """Return the sorted labels, and the index of each row's label."""
    try:
        check_classification_targets(y)
        return np.unique(y, return_inverse=True)
    except TypeError:  # texts beside numbers have no order
        kinds = ", ".join(sorted({type(label).__name__ for label in y}))
        raise ValueError(
            f"Expected labels of one kind, numbers or texts. Got some of each ({kinds}). Convert them to texts."
        ) from None
