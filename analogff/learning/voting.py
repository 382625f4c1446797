"""What rules have in common whose layers each score the classes and vote."""

import torch

from analogff.learning import flows
from analogff.learning.class_scores import LayerVote, ScoreOptions, dropout_work, with_dropout
from analogff.network import Network
from analogff.timeline import Job


class Voting:
    """Mixin, to stand before `Rule`: the head rests, and the layers vote.

    The rule sets `vote` in its constructor, and its options are `ScoreOptions`.
    """

    vote: LayerVote

    @classmethod
    def uses_head(cls, options: ScoreOptions) -> bool:
        """Tell that the head is of no use; see `Rule.uses_head`."""
        return False

    @classmethod
    def learns_soft_labels(cls, options: ScoreOptions) -> bool:
        """Tell that a cross-entropy takes soft labels; see `Rule.learns_soft_labels`."""
        return True

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the voters answer, ``(chips, batch)``."""
        return self.vote.answer(images)

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores that the voters answer by, ``(chips, batch, classes)``."""
        return self.vote.total(images)

    def answers_by_layer(self, images: torch.Tensor) -> torch.Tensor:
        """Return what each layer alone would answer, ``(layers, chips, batch)``."""
        return self.vote.answers_by_layer(images)


class VotingLayers(Voting):
    """Mixin, to stand before `LayerLocal`: pixels may be dropped, the head rests, and the layers vote."""

    network: Network
    options: ScoreOptions
    generator: torch.Generator

    @classmethod
    def stage_work(cls, options, shapes, batch, learning):
        """Return the work of `LayerLocal.stage_work`, with that of dropped pixels."""
        dropped = dropout_work(options, batch * shapes[0][0])
        return super().stage_work(options, shapes, batch, learning) + dropped  # type: ignore[misc] (LayerLocal's)

    @classmethod
    def input_jobs(cls, options: ScoreOptions, n_in: int) -> tuple[Job, ...]:
        """Return the work of dropping pixels; see `LayerLocal.input_jobs`."""
        return flows.jobs(1, dropout=dropout_work(options, n_in))

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Learn from one batch, of which some pixels are dropped; see `Rule.step`."""
        kept = with_dropout(self.network, images, self.options.input_dropout, self.generator)
        return super().step(kept, labels)  # type: ignore[misc] (LayerLocal's)
