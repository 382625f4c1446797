"""Decoding of PNG and JPEG files, and the color and size of an image."""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from analogff.data.errors import DataError, shortened

MOST_PIXELS = 2**26
"""Greatest number of pixels of a file; a photograph has a third of them."""
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
_GRAY = ("1", "L", "LA")


def decoded(content: bytes, where: str, size: tuple[int, int] | None = None, gray: bool = False) -> np.ndarray:
    """Return the pixels of a PNG or JPEG file in bytes, ``(height, width)`` or ``(height, width, 3)``.

    Palettes become colors, and photographs are turned upright as their EXIF tag says.

    Args:
        content: The file.
        where: Its name, for messages.
        size: Height and width to resize to.
        gray: Whether colors become gray.

    Raises:
        DataError: If it is damaged, too large, transparent, or of another depth.
    """
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise DataError(
                    f"Expected at most {MOST_PIXELS:,} pixels in {where}. Got {image.width} x {image.height}. Make the "
                    "file smaller."
                )
            ImageOps.exif_transpose(image, in_place=True)
            return np.asarray(adapted(_opaque(image, where), size, gray))
    except DataError:
        raise
    except Exception as error:  # Pillow raises many exceptions on damaged bytes
        known = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)  # else an address in memory
        said = f"{type(error).__name__}: {shortened(known)}"
        raise DataError(
            f"Expected {where} to be a PNG or JPEG file. Got one that cannot be decoded ({said}). Replace or remove it."
        ) from None


def is_colored(content: bytes) -> bool:
    """Tell whether a PNG or JPEG file is stored in colors, by its header."""
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
        return image.mode not in _GRAY


def adapted(image: Image.Image, size: tuple[int, int] | None, gray: bool) -> Image.Image:
    """Return an image in gray and of a size, as far as asked.

    Gray is ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601). Pixels are resampled bilinearly, over all pixels that a
    smaller one covers. The ratio of the sides is not kept.
    """
    if gray and image.mode == "RGB":
        image = image.convert("L")
    if size is not None and image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return image


def _opaque(image: Image.Image, where: str) -> Image.Image:
    """Return an image in gray or colors of 8 bits, without a transparency that hides nothing."""
    if image.mode not in _MODES:
        raise DataError(f"Expected {where} in gray or RGB of 8 bits. Got Pillow's mode {image.mode}. Convert the file.")
    mode = "L" if image.mode in _GRAY else "RGB"
    if not image.has_transparency_data:
        return image if image.mode == mode else image.convert(mode)
    full = image.convert("RGBA")
    if full.getchannel("A").getextrema() != (255, 255):
        raise DataError(f"Expected opaque pixels in {where}. Got transparent ones. Put a background behind them.")
    return full.getchannel("R") if mode == "L" else full.convert("RGB")
