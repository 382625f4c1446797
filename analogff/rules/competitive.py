"""Forward-Forward by competition: the neurons of a layer are divided among the classes."""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import product, reads_of
from analogff.learning.class_scores import ClassScores, LayerVote, ScoreOptions
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.layer_order import OrderOptions, make_order
from analogff.learning.search_space import LogUniform
from analogff.learning.voting import VotingLayers
from analogff.network import kinds_of_neurons
from analogff.system import Work, work


class CompetitiveForwardOptions(ScoreOptions, OrderOptions, LayerLocalOptions):
    """Options of competitive Forward-Forward."""

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0
    """Factor on the goodness of a group in the loss."""
    goodness: Literal["squares", "activities"] = "squares"
    """Goodness of a group: the mean of its `squares`, or of its `activities`."""


class CompetitiveForward(VotingLayers, LayerLocal[CompetitiveForwardOptions, "Competition"]):
    r"""Layers whose neurons belong to one class each, and compete by their goodness.

    .. math:: s_k = \alpha G_k = \frac{\alpha}{|S_k|} \sum_{j \in S_k} y_j^2, \qquad
              \frac{\partial s_k}{\partial y_j} = \frac{2 \alpha}{|S_k|} y_j \text{ for } j \in S_k

    The wrong groups serve as negatives, so there are no negative inputs. Neighboring neurons form a group; of a
    convolution, neighboring channels, each with its whole map. If the width is no multiple of the classes, the first
    groups have one more neuron. With `goodness` "activities" it is :math:`\sum_j y_j / |S_k|`.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `CompetitiveForwardOptions`.
        seed: The learning seed; the rule itself draws nothing.

    Raises:
        ValueError: If a layer has fewer neurons, or channels, than there are classes.

    Reference:
        Papachristodoulou et al., Convolutional Channel-wise Competitive Learning for the Forward-Forward Algorithm
        (AAAI 2024, arXiv 2312.12668), the loss `CwC`; theirs has no factor, and batch normalization. Activities of
        channels: Sun et al., DeeperForward (ICLR 2025), mean goodness; theirs has group normalization.
    """

    name = "competitive-forward"
    Options = CompetitiveForwardOptions
    convolves = True

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed, order=make_order(options.order, len(network.layers)))
        widths = [layer.datasheet.weight_shape[0] for layer in network.layers]
        _refuse_narrow(widths, network.classes)
        self.objectives = [
            Competition(
                _shares(width, network.classes, layer.torch_device),
                options.scale,
                positions=reads_of(layer.datasheet.windows),
                squares=options.goodness == "squares",
            )
            for width, layer in zip(widths, network.layers, strict=True)
        ]
        self.vote = LayerVote(network, self.objectives, options.vote)

    @classmethod
    @override
    def layer_shapes(cls, options, n_in, widths, classes):
        _refuse_narrow([kinds_of_neurons(width) for width in widths], classes)
        return super().layer_shapes(options, n_in, widths, classes)

    @classmethod
    @override
    def objective_work(cls, options, vectors, n, classes):
        return _work(vectors, n, classes)

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"scale": LogUniform(1.0, 16.0)}


class Competition(ClassScores):
    r"""Scores of a layer by the goodness of groups of neurons.

    Args:
        shares: Weight of each neuron in its group's mean, ``(classes, n)``; of a convolution, of each channel.
        scale: ``alpha``.
        positions: Positions of a convolution; 1 for a dense layer.
        squares: Whether goodness is of squares, and not of activities.
    """

    def __init__(self, shares: torch.Tensor, scale: float, positions: int = 1, squares: bool = True):
        self.factors, self.positions, self.squares = scale * shares / positions, positions, squares

    @override
    def scores(self, y):
        return product(self._of_channels(y.square() if self.squares else y), self.factors.expand(len(y), -1, -1))

    @override
    def scores_work(self, vectors, n):
        return _scores_work(vectors, n, len(self.factors), self.positions)

    @override
    def work(self, vectors, n):
        return _work(vectors, n, len(self.factors), self.positions)

    @override
    def by_activity(self, y, error):
        slope = product(error, self.factors.mT.expand(len(y), -1, -1))
        if self.positions > 1:
            slope = slope.repeat(1, 1, self.positions)
        return 2 * y * slope if self.squares else slope

    def _of_channels(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return the sum of each channel's map, ``(chips, batch, n)`` to ``(chips, batch, channels)``."""
        if self.positions == 1:
            return numbers
        return numbers.unflatten(-1, (self.positions, -1)).sum(-2)


def _scores_work(vectors: int, n: int, classes: int, positions: int = 1) -> Work:
    """Return the digital work of squares and their means over groups, taken as a product with the groups' matrix."""
    squares = work.elementwise(vectors * n, operations=1, operands=1)
    maps = work.elementwise(vectors * n * (positions > 1), operations=1, operands=1, results=0)
    return squares + maps + work.product(vectors, n // positions, classes)


def _work(vectors: int, n: int, classes: int, positions: int = 1) -> Work:
    """Return that of the scores, their error and the way back."""
    back = work.product(vectors, classes, n // positions) + work.modulation(vectors * n)
    return _scores_work(vectors, n, classes, positions) + work.softmax_error(vectors, classes) + back


def _refuse_narrow(widths: Sequence[int], classes: int) -> None:
    for layer, width in enumerate(widths, start=1):
        if width < classes:
            raise ValueError(
                f"Expected at least {classes} neurons in layer {layer}, one a class. Got {width}. "
                "Make it wider, or use another rule."
            )


def _shares(width: int, classes: int, device: torch.device) -> torch.Tensor:
    """Return the weight of each neuron in its group's mean, ``(classes, width)``."""
    groups = torch.arange(width, device=device).tensor_split(classes)
    group = torch.cat([torch.full_like(members, k) for k, members in enumerate(groups)])
    member = torch.nn.functional.one_hot(group, classes).float().mT
    return member / member.sum(1, keepdim=True)
