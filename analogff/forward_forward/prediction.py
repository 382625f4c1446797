"""Answers of a network that has learned by Forward-Forward."""

import torch

from analogff.device import chipwise


def of_both(beliefs: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    r"""Return what the goodness and the head together believe of each label.

    .. math:: \log \mathrm{softmax}(\alpha G)_c + \log \mathrm{softmax}(z)_c

    Shapes:
        ``beliefs`` (the scaled goodness), ``logits``, and what is returned: ``(chips, batch, classes)``.
    """
    return chipwise(lambda g, z: g.log_softmax(-1) + z.log_softmax(-1), beliefs, logits)
