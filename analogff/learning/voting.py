"""What rules have in common whose layers each score the classes and vote."""

import torch

from analogff.learning.class_scores import LayerVote, ScoreOptions, with_dropout
from analogff.network import Network
from analogff.system import work


class VotingLayers:
    """Mixin, to stand before `LayerLocal`: pixels may be dropped, the head rests, and the layers vote.

    The rule sets `vote` in its constructor, and its options are `ScoreOptions`.
    """

    network: Network
    options: ScoreOptions
    generator: torch.Generator
    vote: LayerVote

    @classmethod
    def uses_head(cls, options: ScoreOptions) -> bool:
        """Tell that the head is of no use; see `Rule.uses_head`."""
        return False

    @classmethod
    def stage_work(cls, options, shapes, batch, learning):
        """Return the work of `LayerLocal.stage_work`, with that of dropped pixels."""
        dropped = work.dropout(batch * shapes[0][0] * bool(options.input_dropout))
        return super().stage_work(options, shapes, batch, learning) + dropped  # type: ignore[misc] (LayerLocal's)

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Learn from one batch, of which some pixels are dropped; see `Rule.step`."""
        kept = with_dropout(self.network, images, self.options.input_dropout, self.generator)
        return super().step(kept, labels)  # type: ignore[misc] (LayerLocal's)

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the voters answer, ``(chips, batch)``."""
        return self.vote.answer(images)

    def answers_by_layer(self, images: torch.Tensor) -> torch.Tensor:
        """Return what each layer alone would answer, ``(layers, chips, batch)``."""
        return self.vote.answers_by_layer(images)
