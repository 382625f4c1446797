"""Forward-Forward on a simulated chip as a scikit-learn classifier."""

from analogff.classifier.estimator import FFClassifier

__all__ = ["FFClassifier"]
