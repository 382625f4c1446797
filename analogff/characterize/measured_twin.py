"""A differentiable model of chips with measured numbers only."""

import torch

from analogff.network.twin import Response


class MeasuredTwin(torch.nn.Module):
    r"""Weights and neuron curves measured by reads.

    .. math:: \tilde y_j = \tilde f_j\left(\textstyle\sum_i \tilde W_{ji} x_i + b_j\right)

    with a table for each curve, linear between its points and constant past its ends. Unlike
    `analogff.network.twin.Twin` it uses no nominal curve and does not follow writes: it is static.

    Args:
        weights: ``(chips, n_out, n_in)``.
        knots: Weighted sums of the tables, evenly spaced, ``(points,)``.
        values: Outputs there, ``(chips, n_out, points)``.
    """

    weights: torch.Tensor
    knots: torch.Tensor
    values: torch.Tensor

    def __init__(self, weights: torch.Tensor, knots: torch.Tensor, values: torch.Tensor):
        super().__init__()
        for name, tensor in (("weights", weights), ("knots", knots), ("values", values)):
            self.register_buffer(name, tensor)

    def forward(self, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Predict outputs ``(chips, batch, n_out)`` of inputs ``(chips, batch, n_in)``; gradients pass."""
        a = x @ self.weights.mT
        return self._curve(a if bias is None else a + bias)

    def respond(self, x: torch.Tensor) -> Response:
        """Predict as `Twin.respond` does, with the slopes of the tables."""
        a = (x @ self.weights.mT).detach().requires_grad_()
        with torch.enable_grad():
            y = self._curve(a)
            slope = torch.autograd.grad(y.sum(), a)[0]
        return Response(y.detach(), slope, self.weights)

    def _curve(self, a: torch.Tensor) -> torch.Tensor:
        place = ((a - self.knots[0]) / (self.knots[1] - self.knots[0])).clamp(0, len(self.knots) - 1)
        left = place.detach().floor().clamp(max=len(self.knots) - 2)
        share, index = (place - left).mT, left.long().mT
        below, above = self.values.gather(2, index), self.values.gather(2, index + 1)
        return (below + share * (above - below)).mT
