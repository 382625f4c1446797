"""Data files that a disk, a download or a script might leave behind: whole ones, odd ones and damaged ones."""

import gzip
import io
import struct
import zipfile

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from analogff.data import raw

HUGE = [0, 1, 2**16, 2**31 - 1, 2**32 - 1]


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npz(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)  # of no time, so that bytes repeat
    return file.getvalue()


def npy_that_says(descr: str, shape: str, body: bytes = b"") -> bytes:
    """Return an NPY file whose header claims whatever it likes."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def idx(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *(shape or array.shape)) + array.tobytes()


IMAGES = np.arange(8 * 3 * 4, dtype=np.uint8).reshape(8, 3, 4) * 2 + 60
LABELS = np.arange(8, dtype=np.uint8) % 2
GOOD = npz({"images.npy": npy(IMAGES), "labels.npy": npy(LABELS)})
PACKED = npz({"images.npy": npy(IMAGES), "labels.npy": npy(LABELS)}, zipfile.ZIP_DEFLATED)
IDX = dict(zip(raw.IDX_FILES, map(idx, (IMAGES, LABELS) * 2), strict=True))

_dtypes = hnp.scalar_dtypes() | hnp.unicode_string_dtypes(max_len=5) | hnp.byte_string_dtypes(max_len=5)
_any_arrays = hnp.arrays(_dtypes, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6))
_images = hnp.arrays(
    st.sampled_from(["u1", "f4", ">f8", "i2", "u8", "?", "f2"]),
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=4).map(lambda shape: (8, *shape)),
)
_labels = hnp.arrays(st.sampled_from(["u1", "i8", "u8", "U2", "S2", "?", "f8", ">i4"]), st.sampled_from([8, (8, 1), 7]))
_objects = st.sampled_from([np.array([{}, 1], dtype=object), np.zeros(8, [("a", "f4")]), np.zeros(8, "M8[s]")])
_headers = st.builds(
    npy_that_says,
    st.sampled_from(
        ["'|u1'", "'<f8'", "'|O'", "'<U0'", "'|V0'", "'<U999999999'", "[('a', '<f8')]", "('<f8', (3,))", "1"]
    ),
    st.lists(st.sampled_from([*HUGE, 8, 10**6, 2**62, 10**18, -1]), max_size=4).map(lambda n: str(tuple(n)))
    | st.sampled_from(["(" * 300, "()", "8", "('a',)", "(1e9,)", "None"]),
    st.binary(max_size=100),
)
_members = (_any_arrays | _images | _labels | _objects).map(npy) | _headers | st.binary(max_size=60)
_archives = st.builds(
    npz,
    st.fixed_dictionaries({"images.npy": _images.map(npy), "labels.npy": _labels.map(npy)})
    | st.fixed_dictionaries({"images.npy": _images.map(npy) | _members, "labels.npy": _labels.map(npy) | _members})
    | st.dictionaries(st.sampled_from(["images.npy", "images", "labels.npy", "labels"]), _members),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]),
)


@st.composite
def damaged(draw, whole: st.SearchStrategy[bytes]) -> bytes:
    """Cut a file off, overwrite a piece of it, put one in or take one out."""
    content = draw(whole)
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(len(content), start + 40)))
    pieces = st.binary(max_size=8) | st.sampled_from([b"\xff" * 4, b"\x00" * 4, b"\xff" * 8])
    return draw(
        st.sampled_from([content[:start], content[:start] + content[end:]])
        | pieces.map(lambda piece: content[:start] + piece + content[start + len(piece) :])
        | pieces.map(lambda piece: content[:start] + piece + content[start:])
    )


_whole_npz = st.sampled_from([GOOD, PACKED])
NPZ_FOLDERS = st.fixed_dictionaries(
    {name: _archives | damaged(_whole_npz) | _whole_npz | st.binary(max_size=50) for name in raw.NPZ_FILES}
)


@st.composite
def idx_folders(draw) -> dict[str, bytes]:
    """Damage one or two of four files, or give one another header, each packed or not."""
    files = dict(IDX)
    for name in draw(st.lists(st.sampled_from(raw.IDX_FILES), min_size=1, max_size=2)):
        array = IMAGES if "images" in name else LABELS
        shape = tuple(draw(st.sampled_from([*HUGE, *array.shape])) for _ in array.shape)
        files[name] = draw(damaged(st.just(IDX[name])) | st.just(idx(array, shape)))
    packed = {}
    for name, content in files.items():
        if draw(st.booleans()):
            gz = gzip.compress(content, mtime=0)
            packed[f"{name}.gz"] = draw(st.just(gz) | damaged(st.just(gz)))
        else:
            packed[name] = content
    return packed


FOLDERS = NPZ_FOLDERS | idx_folders()
