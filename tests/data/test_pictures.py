"""Class-named images: pixels are those of the files, and an archive is its folder bit by bit."""

import io
import os
import tarfile
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from analogff.data import DataError, ImageShape, cache, fingerprint, load_dataset, picture_set

LABELS = ("cat", "dog", "yak")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Keep nothing of a test, in the process or on the disk of whoever runs it."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    picture_set.read_pictures.cache_clear()
    return folder / "analogff" / "data"


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def fill(folder, shape=(5, 4, 3), train=4, test=2, suffix="png"):
    """Write images of three classes, and return their pixels by place."""
    written = {}
    for part, count in (("train", train), ("test", test)):
        for n, label in enumerate(LABELS):
            (folder / part / label).mkdir(parents=True)
            for k in range(count):
                place = f"{part}/{label}/{k}.{suffix}"
                written[place] = pixels(*shape, seed=100 * n + 10 * k + (part == "test"))
                Image.fromarray(written[place]).save(folder / place)
    return written


def pack(folder, path, mode):
    with tarfile.open(path, mode) as archive:
        archive.add(folder, arcname=".")
    return path


def sorted_rows(images):
    return sorted(map(tuple, images.tolist()))


@pytest.mark.parametrize(("shape", "channels"), [((5, 4, 3), 3), ((5, 4), 1)])
def test_pixels_are_those_of_the_files_channels_last(tmp_path, shape, channels):
    written = fill(tmp_path, shape)
    data = load_dataset(str(tmp_path))
    assert data.image == ImageShape(channels, 5, 4) and data.n_in == 20 * channels
    assert data.label_names == LABELS
    for split, part in ((data.train, "train"), (data.test, "test")):
        for n, label in enumerate(LABELS):
            own = [p for place, p in written.items() if place.startswith(f"{part}/{label}/")]
            expected = torch.tensor(np.array(own).reshape(len(own), -1) / 255, dtype=torch.float32)
            assert sorted_rows(split.images[split.labels == n]) == sorted_rows(expected)


def test_the_front_and_the_end_of_training_images_are_of_all_classes(tmp_path):
    """They are taken for training and for validation."""
    fill(tmp_path, (2, 2), train=60)
    data = load_dataset(str(tmp_path), validation_images=90)
    for split in (data.train, data.validation):
        # Hypergeometric, 90 of 180 with 60 of a class: standard deviation 3.2.
        assert (split.labels.bincount() - 30).abs().max() < 4 * 3.2


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tar.xz", "w:xz")])
@pytest.mark.parametrize("top", [False, True])
def test_an_archive_equals_its_folder(tmp_path, name, mode, top):
    folder = tmp_path / "pets"
    fill(folder)
    path = tmp_path / name
    with tarfile.open(path, mode) as archive:
        for file in sorted(folder.rglob("*.png"), reverse=True):  # in another order than that of the folder
            archive.add(file, arcname=("pets" if top else ".") + f"/{file.relative_to(folder).as_posix()}")
    first, second = load_dataset("pets", folder=tmp_path), load_dataset(name, folder=tmp_path)
    for part in ("train", "test"):
        assert torch.equal(getattr(first, part).images, getattr(second, part).images)
        assert torch.equal(getattr(first, part).labels, getattr(second, part).labels)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["pets", name]), "nothing was extracted"


def test_a_cached_set_equals_a_decoded_one_and_needs_no_decoding(tmp_path, monkeypatch, own_cache):
    fill(tmp_path)
    first = load_dataset(str(tmp_path))
    picture_set.read_pictures.cache_clear()
    monkeypatch.setattr(picture_set, "decoded", lambda *_: pytest.fail("decoded again"))
    second = load_dataset(str(tmp_path))
    assert torch.equal(first.train.images, second.train.images) and first.label_names == second.label_names
    (kept,) = own_cache.glob("*.npz")
    with np.load(kept, allow_pickle=False) as arrays:
        assert {array.dtype.kind for array in arrays.values()} == {"u", "U"}


def test_a_damaged_cache_is_made_again(tmp_path, own_cache):
    fill(tmp_path)
    first = load_dataset(str(tmp_path))
    (kept,) = own_cache.glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:-40])
    picture_set.read_pictures.cache_clear()
    assert torch.equal(first.train.images, load_dataset(str(tmp_path)).train.images)


def test_without_a_place_for_a_cache_images_are_decoded_each_time(tmp_path, monkeypatch):
    fill(tmp_path / "set")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(load_dataset("set", folder=tmp_path).train) == 12


def test_the_cache_has_an_end(monkeypatch, own_cache):
    one = {"a": np.zeros(1000, np.uint8)}
    cache.keep_arrays("first", one)
    os.utime(own_cache / "first.npz", (0, 0))
    monkeypatch.setattr(cache, "MOST_BYTES", 2000)
    cache.keep_arrays("second", one)
    assert [path.name for path in own_cache.glob("*.npz")] == ["second.npz"]


@pytest.mark.parametrize("packed", [False, True])
def test_an_edited_image_is_read_again_and_is_another_data_set(tmp_path, packed):
    folder = tmp_path / "set"
    fill(folder)
    name = "set.tar" if packed else "set"
    make = (lambda: pack(folder, tmp_path / "set.tar", "w")) if packed else (lambda: None)
    make()
    before, images = fingerprint(name, tmp_path), load_dataset(name, folder=tmp_path).test.images
    Image.fromarray(pixels(5, 4, 3, seed=99)).save(folder / "test/cat/0.png")
    make()
    assert fingerprint(name, tmp_path) != before
    assert not torch.equal(load_dataset(name, folder=tmp_path).test.images, images)


def test_a_known_folder_is_not_hashed_again_but_a_changed_one_is(tmp_path, monkeypatch):
    written = fill(tmp_path)
    monkeypatch.setattr(picture_set, "_SETTLED_SECONDS", -1.0)
    before = fingerprint(str(tmp_path))
    contents = picture_set.contents
    monkeypatch.setattr(picture_set, "contents", lambda _: pytest.fail("hashed again"))
    assert fingerprint(str(tmp_path)) == before
    monkeypatch.setattr(picture_set, "contents", contents)
    place = tmp_path / next(iter(written))
    times = place.stat()
    Image.fromarray(255 - written["train/cat/0.png"]).save(place)
    os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint(str(tmp_path)) != before


def test_gray_images_among_colors_become_three_equal_channels(tmp_path):
    fill(tmp_path)
    gray = pixels(5, 4)
    Image.fromarray(gray).save(tmp_path / "test/yak/1.png")
    data = load_dataset(str(tmp_path))
    rows = data.test.images[data.test.labels == 2].view(-1, 20, 3)
    expected = torch.tensor(gray.reshape(20, 1) / 255, dtype=torch.float32).expand(20, 3)
    assert any(torch.equal(row, expected) for row in rows)


def test_gray_is_the_luma_of_colors(tmp_path):
    fill(tmp_path)
    colors = load_dataset(str(tmp_path)).train.images.view(-1, 20, 3)
    data = load_dataset(str(tmp_path), gray=True)
    assert data.image == ImageShape(1, 5, 4)
    luma = colors @ torch.tensor([0.299, 0.587, 0.114])
    assert (data.train.images - luma).abs().max() < 1.01 / 255  # rounded to a byte, with weights of 16 bits


def test_gray_is_refused_where_all_images_are_gray(tmp_path):
    fill(tmp_path, shape=(5, 4))
    with pytest.raises(DataError, match="Expected colors in .* beside gray. Got gray images only. Leave gray out."):
        load_dataset(str(tmp_path), gray=True)
    Image.fromarray(pixels(5, 4, 3)).save(tmp_path / "test/yak/1.png")
    assert load_dataset(str(tmp_path), gray=True).image == ImageShape(1, 5, 4)


def test_images_of_unequal_sizes_need_a_size(tmp_path):
    fill(tmp_path)
    Image.fromarray(pixels(7, 9, 3)).save(tmp_path / "train/dog/1.png")
    said = (
        r"one size in .* Got 5 x 4 \(height x width\) in 17 of 18 and 7 x 9 in train/dog/1.png. Write image_size = \["
    )
    with pytest.raises(DataError, match=said) as raised:
        load_dataset(str(tmp_path))
    assert raised.value.field == "image_size"
    assert load_dataset(str(tmp_path), image_size=(3, 6)).image == ImageShape(3, 3, 6)
    assert load_dataset(str(tmp_path), image_size=4).image == ImageShape(3, 4, 4)


def test_halving_the_sides_of_flat_quarters_keeps_them(tmp_path):
    """Away from edges a bilinear resampling of a constant is that constant."""
    fill(tmp_path, (2, 2))
    image = np.kron(np.array([[10, 200], [90, 250]], np.uint8), np.ones((8, 8), np.uint8))
    for place in sorted(tmp_path.rglob("*.png")):
        Image.fromarray(image).save(place)
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "test/cat/0.png")
    seen = load_dataset(str(tmp_path), image_size=(8, 8)).train.images[0].view(8, 8) * 255
    assert torch.allclose(seen[[0, 0, 7, 7], [0, 7, 0, 7]], torch.tensor([10.0, 200, 90, 250]))


def test_a_photograph_is_turned_upright(tmp_path):
    fill(tmp_path, (4, 4))
    image, exif = Image.fromarray(pixels(4, 4)), Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "test/cat/0.png", exif=exif)
    rows = load_dataset(str(tmp_path)).test.images
    turned = torch.tensor(np.asarray(image)[::-1, ::-1].reshape(1, 16) / 255, dtype=torch.float32)
    assert (rows == turned).all(1).any()


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA"])
def test_other_kinds_of_png_keep_their_pixels(tmp_path, mode):
    fill(tmp_path, (5, 4, 3))
    image = Image.fromarray(pixels(5, 4, 3)).convert(mode)
    image.save(tmp_path / "test/cat/0.png")
    expected = torch.tensor(np.asarray(image.convert("RGB")).reshape(60) / 255, dtype=torch.float32)
    assert (load_dataset(str(tmp_path)).test.images == expected).all(1).any()


def _write(content):
    return lambda folder: (folder / "train/cat/0.png").write_bytes(content)


def _save(image, **how):
    return lambda folder: image.save(folder / "train/cat/0.png", **how)


def _huge():
    """Return a PNG file whose header claims more pixels than fit."""
    chunks = (b"IHDR" + (9000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0]), b"IDATnone")
    parts = ((len(c) - 4).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_write(b""), "train/cat/0.png to be a PNG or JPEG file. Got one that cannot be decoded"),
        (_write(b"\x89PNG\r\n\x1a\nxx"), "Replace or remove it"),
        (_write(_huge()), "Expected at most 67,108,864 pixels in .*train/cat/0.png. Got 9000 x 9000"),
        (_save(Image.new("RGBA", (4, 5))), "opaque pixels in .*train/cat/0.png. Got transparent ones"),
        (_save(Image.new("I;16", (4, 5))), "gray or RGB of 8 bits. Got Pillow's mode I;16. Convert the file"),
        (lambda f: (f / "train/a.png").write_bytes(b""), "Expected train/CLASS/IMAGE .* Got 'train/a.png'. Move it"),
        (lambda f: (f / "train/cat/more").mkdir(), "Got a folder, train/cat/more. Move its images up"),
        (
            lambda f: (f / "train/cat/b.gif").write_bytes(b""),
            "PNG or JPEG files in .* Got 'train/cat/b.gif'. Convert it",
        ),
        (lambda f: (f / "test").rename(f / "try"), "Got no test. Move some images there"),
        (lambda f: [p.unlink() for p in f.glob("test/*/*")], "files in test/CLASS folders of .* Got none"),
        (lambda f: (f / "test/cat").rename(f / "test/cow"), "test labels that training images have. Got 'cow' on 2"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_in_a_sentence(tmp_path, spoil, said):
    fill(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError, match=said):
        load_dataset(str(tmp_path))


def test_hidden_and_other_files_are_no_images(tmp_path):
    fill(tmp_path)
    for name in ("train/cat/.DS_Store", "train/cat/._0.png", "train/notes.txt", "test/dog/list.csv", "logo.png"):
        (tmp_path / name).write_bytes(b"no image")
    assert len(load_dataset(str(tmp_path)).train) == 12


def member(name, content=b"", **told):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in told.items():
        setattr(info, field, value)
    return info, content


PNG = io.BytesIO()
Image.fromarray(pixels(5, 4)).save(PNG, "png")
WHOLE = [
    member(f"{part}/{label}/{n}.png", PNG.getvalue()) for part in ("train", "test") for label in "ab" for n in "12"
]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([member("../train/a/9.png")], "names inside of .* Got a member '../train/a/9.png', which leads out of it"),
        ([member("/etc/train/a/9.png")], "Got a member '/etc/train/a/9.png', which leads out"),
        ([member("train\\..\\..\\9.png")], "which leads out"),
        (
            [member("train/a/9.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
            "Got train/a/9.png, a link or a device",
        ),
        ([member("train/a/9.png", type=tarfile.LNKTYPE, linkname="train/a/1.png")], "a link or a device"),
        ([member("train/a/9.png", type=tarfile.FIFOTYPE)], "a link or a device"),
        ([member("train/a/1.png", PNG.getvalue())], "each file once in .* Got train/a/1.png twice"),
        ([member("train/a/b/1.png")], "Expected train/CLASS/IMAGE .* Got 'train/a/b/1.png'"),
        ([member("other/train/a/1.png", PNG.getvalue())], r"one data set in .* Got train and test in several folders"),
    ],
)
def test_what_is_wrong_with_an_archive_is_said_in_a_sentence(tmp_path, members, said):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for info, content in WHOLE + members:
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(DataError, match=said):
        load_dataset("a.tar", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tar.xz", "w:xz")])
def test_an_archive_that_is_cut_off_is_named(tmp_path, name, mode):
    """Never a smaller data set: also where a file of an unpacked archive ends."""
    fill(tmp_path / "set")
    path = pack(tmp_path / "set", tmp_path / name, mode)
    whole = path.read_bytes()
    with tarfile.open(path) as archive:
        ends = [member.offset + cut for member in archive for cut in (0, 100, 530)][1:-1]  # behind it are zeros only
    for end in ends if name == "a.tar" else [len(whole) * n // 40 for n in range(1, 40)]:
        path.write_bytes(whole[:end])
        with pytest.raises(DataError, match=r"a.tar.* to be a tar archive, packed by gzip, xz or not. Got one that"):
            load_dataset(name, folder=tmp_path)


def test_a_file_that_is_no_archive_is_named(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(DataError, match="Got one that cannot be read .*ReadError.*. Write it again"):
        load_dataset("a.tar", folder=tmp_path)
