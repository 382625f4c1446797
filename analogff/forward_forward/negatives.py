"""Wrong labels, fresh at every step, and never the true one."""

import torch

from analogff.support.draws import integers, uniform


def random_labels(labels: torch.Tensor, classes: int, generator: torch.Generator) -> torch.Tensor:
    """Draw wrong labels uniformly, ``(batch,)``."""
    return (labels + integers(1, classes, labels.shape, generator, labels.device)) % classes


def all_wrong_labels(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return every wrong label of each image, ``(batch,)`` to ``(classes - 1, batch)``."""
    return (labels + torch.arange(1, classes, device=labels.device)[:, None]) % classes


def hard_labels(logits: torch.Tensor, labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    r"""Draw wrong labels from beliefs: those of the head, or the goodness of every label times the loss's scale.

    .. math:: P(c) \propto \mathrm{softmax}(z)_c \quad (c \neq \text{true label})

    One uniform number an image serves all chips, so that a chip's labels do not depend on its neighbors.

    Shapes:
        ``logits``: ``(chips, batch, classes)``, ``labels``: ``(batch,)``; returns ``(chips, batch)``.

    Reference:
        Hinton (2022), section 3.3, from the head. From goodness: dah33's code (2023), which draws in proportion to
        its root; the softmax, which knows the loss's scale and takes a goodness below 0, is a choice made here.
    """
    true = torch.nn.functional.one_hot(labels, logits.shape[-1]).bool()
    belief = logits.nan_to_num(0.0).masked_fill(true, -torch.inf).softmax(-1)
    ladder = belief.cumsum(-1)
    # Below the top by more than rounding, so that some step is always higher.
    drawn = uniform(labels.shape, generator, labels.device)
    target = drawn.clamp(max=1 - 1e-5).unsqueeze(-1) * ladder[..., -1:]
    return (ladder > target).int().argmax(-1)
