"""Forward-Forward by competition: the neurons of a layer are divided among the classes."""

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import product
from analogff.learning.class_scores import ClassScores, LayerVote, ScoreOptions
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.layer_order import OrderOptions, make_order
from analogff.learning.search_space import LogUniform
from analogff.learning.voting import VotingLayers
from analogff.system import Work, work


class CompetitiveForwardOptions(ScoreOptions, OrderOptions, LayerLocalOptions):
    """Options of competitive Forward-Forward."""

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0
    """Factor on the goodness of a group (a mean of squares) in the loss."""


class CompetitiveForward(VotingLayers, LayerLocal[CompetitiveForwardOptions, "Competition"]):
    r"""Layers whose neurons belong to one class each, and compete by their goodness.

    .. math:: s_k = \alpha G_k = \frac{\alpha}{|S_k|} \sum_{j \in S_k} y_j^2, \qquad
              \frac{\partial s_k}{\partial y_j} = \frac{2 \alpha}{|S_k|} y_j \text{ for } j \in S_k

    The wrong groups serve as negatives, so there are no negative inputs. Neighboring neurons form a group. If the width
    is no multiple of the classes, the first groups have one more neuron.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `CompetitiveForwardOptions`.
        seed: The learning seed; the rule itself draws nothing.

    Raises:
        ValueError: If a layer has fewer neurons than there are classes.

    Reference:
        Papachristodoulou et al., Convolutional Channel-wise Competitive Learning for the Forward-Forward Algorithm
        (AAAI 2024, arXiv 2312.12668), the loss `CwC`; theirs is convolutional, without the factor and with batch
        normalization.
    """

    name = "competitive-forward"
    Options = CompetitiveForwardOptions

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed, order=make_order(options.order, len(network.layers)))
        widths = [layer.datasheet.n_out for layer in network.layers]
        _refuse_narrow(widths, network.classes)
        self.objectives = [
            Competition(_shares(width, network.classes, layer.torch_device), options.scale)
            for width, layer in zip(widths, network.layers, strict=True)
        ]
        self.vote = LayerVote(network, self.objectives, options.vote)

    @classmethod
    @override
    def layer_shapes(cls, options, n_in, widths, classes):
        _refuse_narrow(widths, classes)
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
        shares: Weight of each neuron in its group's mean, ``(classes, n)``.
        scale: ``alpha``.
    """

    def __init__(self, shares: torch.Tensor, scale: float):
        self.factors = scale * shares

    @override
    def scores(self, y):
        return product(y.square(), self.factors.expand(len(y), -1, -1))

    @override
    def scores_work(self, vectors, n):
        return _scores_work(vectors, n, len(self.factors))

    @override
    def work(self, vectors, n):
        return _work(vectors, n, len(self.factors))

    @override
    def by_activity(self, y, error):
        return y * product(error, 2 * self.factors.mT.expand(len(y), -1, -1))


def _scores_work(vectors: int, n: int, classes: int) -> Work:
    """Return the digital work of squares and their means over groups, taken as a product with the groups' matrix."""
    return work.elementwise(vectors * n, operations=1, operands=1) + work.product(vectors, n, classes)


def _work(vectors: int, n: int, classes: int) -> Work:
    """Return that of the scores, their error and the way back."""
    back = work.product(vectors, classes, n) + work.modulation(vectors * n)
    return _scores_work(vectors, n, classes) + work.softmax_error(vectors, classes) + back


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
