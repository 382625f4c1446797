"""A trained chip, in Python."""

import torch

from analogff.network import evaluating
from analogff.study.run.kept import KeptChips
from analogff.study.run.look_again import awaken
from analogff.training.loop import EVALUATION_BATCH


class KeptChip:
    """A trained chip as it was kept. Every use is a read with its own noise; the chip on disk stays as it is.

    Args:
        kept: The chips of its task.
        run: The key of its run.
    """

    def __init__(self, kept: KeptChips, run: str):
        self._life = awaken(kept)
        self._place = [r.key for r in kept.task.runs].index(run)
        self._run = kept.task.runs[self._place]

    def __repr__(self) -> str:
        return f"KeptChip({self._run})"

    @property
    def label_names(self) -> tuple[str, ...]:
        """Original labels, from label 0 on: the names of answers."""
        return self._life.data.label_names

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Return the chip's answers, ``(n,)``, to images ``(n, n_in)`` in [0, 1]."""
        with evaluating(self._life.rule.network):
            return self._life.rule.predict(images)[self._place]

    def error(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        """Return the percentage of images that the chip gets wrong.

        Args:
            images: ``(n, n_in)``, in [0, 1].
            labels: ``(n,)``.
        """
        answers = torch.cat([self.predict(some) for some in images.split(EVALUATION_BATCH)])
        return 100.0 * float((answers != labels).double().mean())

    def wait(self, seconds: float) -> None:
        """Let hardware time pass."""
        self._life.wait(seconds)
