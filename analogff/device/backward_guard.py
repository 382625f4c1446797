"""Outputs that refuse a backward pass, in place of losing its gradient."""

import torch

from analogff.device.errors import BlackBoxError


def without_backward(y: torch.Tensor, model: str) -> torch.Tensor:
    """Return what was read so that a later ``backward`` is refused, and no gradient silently lost.

    Args:
        y: The outputs.
        model: Name of the class that gave them.
    """
    if not torch.is_grad_enabled():
        return y
    return _Guard.apply(torch.ones((), requires_grad=True), y, model)  # type: ignore[return-value]


class _Guard(torch.autograd.Function):
    """An identity without a backward."""

    @staticmethod
    def forward(ctx, guard, y, model):
        ctx.model = model
        return y.detach()

    @staticmethod
    def backward(ctx, *grads):
        raise BlackBoxError(
            f"Expected learning by forward reads. Got a backward pass through {ctx.model}, which is a black box and "
            "has no derivative. Detach its output, measure its slope with two reads (bias +d/2 and -d/2), or train "
            "through a twin."
        )
