"""What devices and their seals let in and out: shapes, times and counts that make one call one act on the chip."""

import math
from collections.abc import Iterable

import torch

from analogff.device.datasheet import Datasheet, PerChip
from analogff.device.errors import BlackBoxError, ContractError
from analogff.device.numerics.finite import parts_of
from analogff.device.shared_inputs import SharedInputs


def check_signal(x: torch.Tensor, n_in: int, buffers: Iterable[torch.Tensor], device: str, *, banked: bool) -> None:
    """Refuse inputs that would fail somewhere inside a device, where nobody is told what was wrong with them.

    Args:
        x: The inputs.
        n_in: Input lines.
        buffers: Numbers that the device holds; inputs may have the type of one of them.
        device: Its class, for the message.
        banked: Whether it holds many chips.
    """
    if x.dtype != torch.float32 and all(buffer.dtype != x.dtype for buffer in buffers):
        raise ContractError(f"Expected inputs to {device} of torch.float32. Got {x.dtype}. Write x.float().")
    axes, dims = ("chips, batch, n_in", 3) if banked else ("batch, n_in", 2)
    if x.dim() < dims or x.shape[-1] != n_in:
        advice = "Write x[None] to show it to every chip." if x.shape[-1:] == (n_in,) and x.dim() == dims - 1 else ""
        raise ContractError(
            f"Expected inputs to {device} of shape ({axes}) with n_in = {n_in}. Got {tuple(x.shape)}. "
            f"{advice or 'Give one row a sample, and in it one number a line.'}"
        )


def check_read(
    x: torch.Tensor | SharedInputs, biases: tuple[torch.Tensor, ...], chips: int, sheet: Datasheet, layer: str
) -> bool:
    """Refuse what is no read of a layer; tell whether a gradient would have to pass through it."""
    check_inputs(x, (chips, sheet.n_in), layer)
    for bias in biases:
        check_bias(bias, (chips, x.shape[1], sheet.n_out), sheet.bias_port, layer)
    parts = (*parts_of(x), *biases)
    check_plain(parts, layer)
    return torch.is_grad_enabled() and any(part.requires_grad for part in parts)


def check_inputs(x: torch.Tensor | SharedInputs, size: tuple[int, int], layer: str) -> None:
    """Refuse inputs that are not ``(chips, batch, n_in)``, or whose variants do not belong to them.

    Args:
        x: The inputs.
        size: Chips and input lines.
        layer: Its name, for the message.
    """
    chips, n_in = size
    whole = x.shared if isinstance(x, SharedInputs) else x
    if whole.dim() != 3 or (whole.shape[0], whole.shape[2]) != size:
        raise ContractError(
            f"Expected inputs to {layer} of shape (chips, batch, n_in) = ({chips}, batch, {n_in}). Got "
            f"{tuple(whole.shape)}. Expand one batch with x.expand(chips, -1, -1) to show it to every chip."
        )
    if isinstance(x, SharedInputs):
        wanted, got = (chips, whole.shape[1]), tuple(x.marks.shape)
        if len(got) != 4 or (got[0], got[2]) != wanted or got[3] > n_in:
            raise ContractError(
                f"Expected marks to {layer} of shape (chips, variants, batch, lines) = ({chips}, variants, "
                f"{wanted[1]}, {n_in} at most). Got {got}. Give each variant of each input its own marks."
            )


def check_bias(bias: torch.Tensor, answer: tuple[int, int, int], port: bool, layer: str) -> None:
    """Refuse a bias where there is no port, or one that would make more answers than there are inputs."""
    if not port:
        raise ContractError(
            f"Expected {layer} to have a bias port. Got a datasheet without one. Measure without bias, or set "
            "bias_port in its datasheet."
        )
    if not isinstance(bias, torch.Tensor):
        raise ContractError(f"Expected a tensor as a bias of {layer}. Got {bias!r}. Write torch.tensor({bias!r}).")
    axes = zip(reversed(bias.shape), reversed(answer), strict=False)
    if bias.dim() > 3 or any(length not in (1, whole) for length, whole in axes):
        raise ContractError(
            f"Expected a bias of {layer} that broadcasts to (chips, batch, n_out) = {answer}. Got "
            f"{tuple(bias.shape)}. Repeat the inputs for each further bias, since each is a read, or use probe."
        )


def check_error(error: torch.Tensor, wanted: tuple[int, int, int], layer: str) -> None:
    """Refuse errors that are not one for each output."""
    if tuple(error.shape) != wanted:
        raise ContractError(
            f"Expected errors of {layer} of shape (chips, batch, n_out) = {wanted}. Got {tuple(error.shape)}. Give the "
            "derivative of the loss by each output."
        )


def check_matrices(values: torch.Tensor, wanted: tuple[int, int, int], verb: str, layer: str) -> None:
    """Refuse a write that is not one matrix for each chip."""
    if tuple(values.shape) != wanted:
        raise ContractError(
            f"Expected {verb} on {layer} with shape (chips, n_out, n_in) = {wanted}. Got {tuple(values.shape)}. Give "
            "one matrix for each chip."
        )
    check_plain((values,), layer)


def check_plain(parts: Iterable[torch.Tensor], layer: str) -> None:
    """Refuse tensors of torch.func and of forward-mode differentiation: many calls in one, or a lost derivative."""
    for part in parts:
        if torch._C._functorch.is_functorch_wrapped_tensor(part):  # type: ignore[attr-defined]
            raise BlackBoxError(
                f"Expected calls of {layer} one after the other. Got one inside torch.func (vmap, grad or jvp), where "
                "a single read would stand for many. Put the samples side by side in the batch, and call it once."
            )
        if torch.autograd.forward_ad.unpack_dual(part).tangent is not None:
            raise BlackBoxError(
                f"Expected learning by forward reads of {layer}. Got a tensor with a tangent, and a black box has no "
                "derivative. Measure its slope with two reads (bias +d/2 and -d/2), or train through a twin."
            )


def check_answer(y: torch.Tensor, wanted: tuple[int, int, int], like: torch.Tensor, layer: str) -> None:
    """Hold the device to its contract: one row an input, of the input's dtype, where the input is."""
    if not isinstance(y, torch.Tensor):
        got = type(y).__name__
    elif tuple(y.shape) == wanted and y.dtype == like.dtype and y.device == like.device:
        return
    else:
        got = f"{tuple(y.shape)}, {y.dtype} on {y.device}"
    raise ContractError(
        f"Expected the device of {layer} to answer with shape {wanted}, {like.dtype} on {like.device}. Got {got}. "
        "Mend its measure; `analogff check` says more."
    )


def check_seconds(seconds: PerChip, chips: int, layer: str) -> None:
    """Refuse a time that does not pass: hardware has no way back, and drift is part of its price."""
    waited = torch.as_tensor(seconds)
    if tuple(waited.shape) not in ((), (chips,)) or not bool(((waited >= 0) & waited.isfinite()).all()):
        raise ContractError(
            f"Expected {layer} to wait for a finite number of seconds from 0, one for all of its {chips} chips or one "
            f"each. Got {seconds}. Give a time that can pass."
        )


def check_steps(steps: torch.Tensor, chips: int, layer: str) -> None:
    """Refuse write steps that no device can have spent."""
    spent = torch.as_tensor(steps)
    fits = tuple(spent.shape) in ((), (chips,))
    if not fits or (spent.device.type == "cpu" and not bool(((spent >= 0) & spent.isfinite()).all())):
        raise ContractError(
            f"Expected the device of {layer} to return its write steps, a finite number from 0 for each of {chips} "
            f"chips. Got {steps}. Mend its pulse and program, or return None to have the cells asked counted."
        )


def check_trains(
    rows: torch.Tensor, columns: torch.Tensor, shape: tuple[int, int, int], slots: int, layer: str
) -> None:
    """Refuse what are no pulse trains; ``shape`` is that of the weights."""
    chips, n_out, n_in = shape
    fits = rows.shape[:1] == columns.shape[:1] == (chips,) and rows.shape[1:2] == columns.shape[1:2]
    fits = fits and (rows.dim(), columns.dim()) == (3, 3) and (rows.shape[2], columns.shape[2]) == (n_in, n_out)
    if not fits or rows.dtype != torch.int32 or columns.dtype != torch.int32:
        raise ContractError(
            f"Expected pulse trains on {layer} with shapes ({chips}, vectors, {n_in}) and ({chips}, vectors, {n_out}), "
            f"of torch.int32. Got {tuple(rows.shape)} {rows.dtype} and {tuple(columns.shape)} {columns.dtype}. Give "
            "one row a vector, and in it the slots of each line."
        )
    longest = max(int(trains.abs().amax()) if trains.numel() else 0 for trains in (rows, columns))
    if not 1 <= slots <= 31 or longest >= 2**slots:
        raise ContractError(
            f"Expected pulse trains on {layer} of 1 to 31 slots, none fired behind its last. Got {slots} slots, and "
            f"{longest.bit_length()} that are fired in. Give the length of the trains."
        )


def check_work(macs: float, moved_bytes: float, name: str) -> None:
    """Refuse digital work that is negative or not finite."""
    if not (0 <= macs < math.inf and 0 <= moved_bytes < math.inf):
        raise ContractError(
            f"Expected digital work beside {name} to be finite and 0 or more. Got {macs} multiply-accumulates and "
            f"{moved_bytes} bytes. Book what was done."
        )
