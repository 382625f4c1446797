"""Products of a layer whose weights may be shared: sums, their gradient, and errors that go back."""

import torch

from analogff.device.numerics.product import outer, product
from analogff.device.shared_inputs import SharedInputs
from analogff.device.windows import Windows


def weighted_sums(x: torch.Tensor, weights: torch.Tensor, windows: Windows | None) -> torch.Tensor:
    """Return the weighted sums of a layer, ``(chips, batch, n_in)`` to ``(chips, batch, n_out)``; see `product`."""
    if windows is None:
        return product(x, weights)
    weights = windows.of_arrays(weights)
    return windows.together(x, (windows.join(product(windows.rows(part), weights)) for part in windows.parts(x)))


def gradient(
    errors: torch.Tensor, x: torch.Tensor | SharedInputs, windows: Windows | None, out: torch.Tensor | None = None
) -> torch.Tensor:
    r"""Return ``sum_b e_bj x_bi``, or of shared weights the sum over samples and positions; see `outer`.

    Shapes:
        ``errors``: ``(chips, batch, n_out)``, ``x``: ``(chips, batch, n_in)``; returns the shape of the weights, in
        ``out`` if that is given.
    """
    if windows is None:
        return outer(errors, x, out)
    x, total, out = _written_out(x, windows), None, None if out is None else windows.of_arrays(out)
    for part, own in zip(windows.parts(x), windows.parts_like(x, errors), strict=True):
        of_part = outer(windows.columns(own), _rows(part, windows), out if total is None else None)
        total = of_part if total is None else total.add_(of_part)
    assert total is not None
    return windows.of_layer(total)


def errors_back(errors: torch.Tensor, weights: torch.Tensor, windows: Windows | None) -> torch.Tensor:
    """Return errors of the inputs from those of the weighted sums, ``(chips, batch, n_out)`` to ``n_in``."""
    if windows is None:
        return product(errors, weights.mT)
    parts, weights = errors.split(windows.samples_at_once, 1), windows.of_arrays(weights)
    return windows.together(errors, (windows.back(product(windows.columns(e), weights.mT)) for e in parts))


def rows_of(x: torch.Tensor | SharedInputs, windows: Windows | None) -> torch.Tensor | SharedInputs:
    """Return what each read of an array sees, ``(chips, reads, fan_in)``: the inputs of a layer themselves, or windows.

    Marks on lines that every read sees are marks of every read; others are written out.
    """
    return x if windows is None else _rows(_written_out(x, windows), windows)


def columns_of(errors: torch.Tensor, windows: Windows | None) -> torch.Tensor:
    """Return errors of the outputs read by read, as `rows_of` has the inputs."""
    return errors if windows is None else windows.columns(errors)


def reads_of(windows: Windows | None) -> int:
    """Return how often an array is read for one input."""
    return 1 if windows is None else windows.positions


def _rows(x: torch.Tensor | SharedInputs, windows: Windows) -> torch.Tensor | SharedInputs:
    return windows.shared_rows(x) if isinstance(x, SharedInputs) else windows.rows(x)


def _written_out(x: torch.Tensor | SharedInputs, windows: Windows) -> torch.Tensor | SharedInputs:
    if isinstance(x, SharedInputs) and x.marks.shape[-1] > windows.common:
        return x.whole()
    return x
