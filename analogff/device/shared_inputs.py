"""Inputs of which many differ in their first few lines only, such as images with labels written into them."""

import dataclasses

import torch


@dataclasses.dataclass(frozen=True)
class SharedInputs:
    r"""Several variants of each input, that share all lines but the first.

    .. math:: x_{vb} = (m_{vb}, s_{b})

    A chip sees whole inputs, one after the other, and each is a read. What the simulation of one may share is the
    arithmetic: the weighted sum of the common lines is the same for all variants.
    """

    shared: torch.Tensor
    """``(chips, batch, n_in)``, zero on the marked lines; every chip may see the same (an expanded tensor)."""
    marks: torch.Tensor
    """The first ``k`` lines of each variant, ``(chips, variants, batch, k)``."""

    @property
    def shape(self) -> torch.Size:
        """The shape of the whole inputs, ``(chips, variants batch, n_in)``."""
        chips, batch, n_in = self.shared.shape
        return torch.Size((chips, self.marks.shape[1] * batch, n_in))

    def whole(self) -> torch.Tensor:
        """Write the inputs out, variant by variant: ``(chips, variants batch, n_in)``."""
        chips, variants, _, lines = self.marks.shape
        x = self.shared.unsqueeze(1).repeat(1, variants, 1, 1)
        x[..., :lines] = self.marks
        return x.flatten(1, 2)


def whole(x: torch.Tensor | SharedInputs) -> torch.Tensor:
    """Return inputs written out."""
    return x.whole() if isinstance(x, SharedInputs) else x
