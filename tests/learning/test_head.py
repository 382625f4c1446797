"""The cross-entropy of labels, and of soft ones."""

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from analogff.learning.head import cross_entropy_of_chips, softmax_error

GENERATOR = torch.Generator().manual_seed(0)
LABELS = torch.randint(0, 4, (6,), generator=GENERATOR)
SOFT = torch.rand(6, 4, generator=GENERATOR).softmax(-1)


@pytest.mark.parametrize("labels", [LABELS, SOFT], ids=["labels", "soft"])
def test_the_error_is_the_derivative_of_the_loss(labels):
    logits = torch.randn(3, 6, 4, generator=GENERATOR, requires_grad=True)
    loss = cross_entropy_of_chips(logits, labels)
    for chip in range(3):
        torch.testing.assert_close(loss[chip], cross_entropy(logits[chip], labels))
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    torch.testing.assert_close(softmax_error(logits.detach(), labels), gradient)


def test_sure_soft_labels_are_labels():
    logits = torch.randn(3, 6, 4, generator=GENERATOR)
    assert torch.equal(softmax_error(logits, LABELS), softmax_error(logits, one_hot(LABELS, 4).float()))
