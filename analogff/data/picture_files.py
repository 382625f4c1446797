"""Files of class-named images: ``train/CLASS/IMAGE`` and ``test/CLASS/IMAGE``, in a folder or a tar archive."""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from analogff.data.errors import DataError, shortened

PARTS = ("train", "test")
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz")
MOST_BYTES = 2**28
"""Greatest size of one file."""
_READ = (".png", ".jpg", ".jpeg")
_NOT_READ = (".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")


class Picture(NamedTuple):
    """The place of one image; pictures are sorted by it."""

    part: str
    """``train`` or ``test``."""
    label: str
    """Name of its class."""
    name: str
    """Name of its file."""

    def __str__(self) -> str:
        return "/".join(self)


def is_archive(path: Path) -> bool:
    """Return whether a path has the name of a tar archive."""
    return path.name.lower().endswith(ARCHIVES)


def holds_pictures(folder: Path) -> bool:
    """Return whether a folder has one of the two parts."""
    return any(os.path.isdir(folder / part) for part in PARTS)


def contents(path: Path) -> Iterator[tuple[Picture, bytes]]:
    """Yield every image with its bytes: of a folder in order, of an archive as they come.

    An archive is read in one pass and never extracted.

    Raises:
        DataError: If a file is out of place, or cannot be read.
    """
    yield from _archived(path) if is_archive(path) else ((p, _bytes_of(path / str(p))) for p in listed(path))


def listed(folder: Path) -> list[Picture]:
    """Return the images of a folder in order.

    Raises:
        DataError: If a file is out of place, or a part is missing.
    """
    found: list[Picture] = []
    for part in PARTS:
        if not os.path.isdir(folder / part):
            raise DataError(
                f"Expected folders train and test of class-named folders in {folder}. Got no {part}. Move some images "
                "there."
            )
        for entry in _entries(folder / part):
            if not entry.is_dir():
                _picture(f"{part}/{entry.name}", str(folder))  # refuses an image without a class
                continue
            for file in _entries(Path(entry.path)):
                name = f"{part}/{entry.name}/{file.name}"
                if file.is_dir():
                    raise DataError(f"Expected files in {part}/{entry.name}. Got a folder, {name}. Move its images up.")
                if picture := _picture(name, str(folder)):
                    found.append(picture)
    return sorted(found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"Expected a readable folder {folder}. Got {error.strerror}. Make it readable.") from None


def _bytes_of(file: Path) -> bytes:
    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise _too_large(str(file), size)
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"Expected a readable file {file}. Got {error.strerror}. Make it readable.") from None


def _archived(path: Path) -> Iterator[tuple[Picture, bytes]]:
    seen: set[Picture] = set()
    tops: set[str] = set()
    try:
        with tarfile.open(path, "r:*") as archive:  # as a stream (r|*) xz would end early without an error
            for member in archive:
                if (picture := _member(member, path, tops)) is None:
                    continue
                if picture in seen:
                    raise DataError(f"Expected each file once in {path}. Got {picture} twice. Write the archive again.")
                seen.add(picture)
                if (file := archive.extractfile(member)) is not None:
                    yield picture, file.read()
            _refuse_cut_off(archive, path)
    except DataError:
        raise
    except Exception as error:  # tarfile and the decompressors raise many exceptions on damaged bytes
        said = f"{type(error).__name__}: {shortened(str(error))}"
        raise DataError(
            f"Expected {path} to be a tar archive, packed by gzip, xz or not. Got one that cannot be read ({said}). "
            "Write it again."
        ) from None


def _refuse_cut_off(archive: tarfile.TarFile, path: Path) -> None:
    """Refuse an unpacked archive without an end; packed ones have a checksum, and going back in them is slow."""
    if path.suffix.lower() == ".tar" and archive.fileobj is not None:
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise EOFError("the archive is cut off")


def _member(member: tarfile.TarInfo, path: Path, tops: set[str]) -> Picture | None:
    """Return the place of a member; None if it is no image.

    Args:
        member: What the archive says of it.
        path: The archive, for messages.
        tops: Folders around ``train`` and ``test`` so far.
    """
    name = member.name.removeprefix("./")
    if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise DataError(
            f"Expected names inside of {path}. Got a member {shortened(member.name)}, which leads out of it. Write the "
            "archive again."
        )
    parts = PurePosixPath(name).parts
    top = parts[0] if len(parts) > 1 and parts[0] not in PARTS and parts[1] in PARTS else ""
    picture = None if member.isdir() else _picture(name.removeprefix(f"{top}/") if top else name, str(path))
    if picture is None:
        return None
    if not member.isreg() or member.issparse():
        raise DataError(f"Expected plain files in {path}. Got {picture}, a link or a device. Archive the file itself.")
    if member.size > MOST_BYTES:
        raise _too_large(f"{picture} of {path}", member.size)
    tops.add(top)
    if len(tops) > 1:
        raise DataError(
            f"Expected one data set in {path}. Got train and test in several folders, {shortened(sorted(tops))}. "
            "Archive one of them."
        )
    return picture


def _picture(name: str, place: str) -> Picture | None:
    """Return the place of an image; None for hidden and for other files.

    Raises:
        DataError: If it is no ``PART/CLASS/IMAGE``, or not PNG or JPEG.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]  # pathlib would take a second for 60,000
    if not parts or parts[0] not in PARTS or any(part.startswith(".") for part in parts):
        return None
    suffix = os.path.splitext(parts[-1])[1].lower()
    if suffix in _NOT_READ:
        raise DataError(f"Expected PNG or JPEG files in {place}. Got {shortened(name)}. Convert it.")
    if suffix not in _READ:
        return None
    if len(parts) != 3:
        raise DataError(f"Expected train/CLASS/IMAGE and test/CLASS/IMAGE in {place}. Got {shortened(name)}. Move it.")
    if not name.isprintable():
        raise DataError(f"Expected names that can be printed in {place}. Got {shortened(name)}. Rename it.")
    return Picture(*parts)


def _too_large(name: str, size: int) -> DataError:
    return DataError(f"Expected at most {MOST_BYTES:,} bytes in {name}. Got {size:,}. Make the image smaller.")
