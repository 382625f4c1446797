"""Strings of characters, and the windows that a network of one-hot lines sees of them."""

from collections.abc import Callable

import torch
from torch.nn.functional import one_hot

SYMBOLS = "abcdefghijklmnopqrstuvwxyz ,.;"
"""The 30 symbols; a symbol's code is its place."""
_PUNCTUATION = str.maketrans({"!": ".", "?": ".", ":": ";", "-": " ", "\n": " "})


def spell(text: str) -> str:
    r"""Write a text in `SYMBOLS`: no capitals, fewer stops, no quotes and no apostrophes.

    Example:
        >>> spell("Why, Wolf!\n\nThe Lamb's well: drink.")
        'why, wolf. the lambs well; drink.'
    """
    known = "".join(c for c in text.lower().translate(_PUNCTUATION) if c in SYMBOLS)
    return " ".join(known.split())


def strings_of(text: str, length: int = 100) -> torch.Tensor:
    """Cut a text into strings of symbol codes, ``(strings, length)``; what is left over at the end is dropped.

    Reference:
        Hinton (2022), section 3.5: 248 strings of 100 characters of Aesop's fables.
    """
    codes = torch.tensor([SYMBOLS.index(c) for c in spell(text)])
    return codes[: len(codes) // length * length].view(-1, length)


def windows_of(strings: torch.Tensor, size: int = 10) -> tuple[torch.Tensor, torch.Tensor]:
    """Return every window that has a character after it, and that character.

    Shapes:
        ``strings``: ``(..., strings, length)``; returns ``(..., strings (length - size), size)``, in the order of the
        text, and ``(..., strings (length - size))``.
    """
    slices = strings.unfold(-1, size + 1, 1).flatten(-3, -2)
    return slices[..., :-1], slices[..., -1]


def lines_of(windows: torch.Tensor, symbols: int = len(SYMBOLS)) -> torch.Tensor:
    """Return a network's input lines for windows, ``(..., size)`` to ``(..., size symbols)``.

    One-hot, and the newest character first: where two windows differ in it alone, they differ in their first lines,
    as images with labels do.
    """
    return one_hot(windows.flip(-1), symbols).to(torch.float32).flatten(-2)


def push(lines: torch.Tensor, following: torch.Tensor, symbols: int) -> torch.Tensor:
    """Return the lines of the windows one character on: the oldest goes, the following one comes.

    Shapes:
        ``lines``: ``(..., batch, size symbols)``, ``following``: ``(..., batch)``, which may have more axes in front.
    """
    newest = one_hot(following, symbols).to(lines.dtype)
    kept = lines[..., :-symbols].expand(*newest.shape[:-1], -1)
    return torch.cat([newest, kept], dim=-1)


def draw(logits: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw a symbol from beliefs, ``(chips, batch, symbols)`` to ``(chips, batch)``.

    One uniform number a window serves all chips, so that a chip's symbols do not depend on its neighbors.
    """
    uniform = torch.rand(logits.shape[-2], generator=generator).to(logits.device)
    ladder = logits.nan_to_num(0.0).softmax(-1).cumsum(-1)
    # Below the top by more than rounding, so that some step is always higher.
    target = uniform.clamp(max=1 - 1e-5).unsqueeze(-1) * ladder[..., -1:]
    return (ladder > target).int().argmax(-1)


def roll_out(
    following: Callable[[torch.Tensor], torch.Tensor], lines: torch.Tensor, characters: int, symbols: int
) -> torch.Tensor:
    """Let a network write on by itself, each window ending in what it said before.

    Args:
        following: From lines, ``(chips or 1, batch, n_in)``, to symbols, ``(chips, batch)``.
        lines: Of the windows to begin with, ``(batch, n_in)``.
        characters: How many it writes.
        symbols: How many there are.

    Returns:
        The lines of every window with a character of its own at the end, in the order written, ``(chips, characters
        batch, n_in)``.

    Reference:
        Hinton (2022), section 3.5: all but the first ten characters of a negative string are self-generated.
    """
    written, now = [], lines.unsqueeze(0)
    for _ in range(characters):
        now = push(now, following(now), symbols)
        written.append(now)
    return torch.cat(written, dim=1)
