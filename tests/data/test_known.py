"""Data sets known by name: CIFAR-10 without pickles, and MNIST-1D as published."""

import hashlib
import io
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression

from analogff.data import DataError, ImageShape, check_dataset, cifar10, fingerprint, load_dataset
from analogff.data.mnist1d import signals

FIRST_LABELS = [2, 6, 4, 5, 6, 6, 6, 0, 3, 1, 6, 9]
FIRST_POINTS = [-0.3320056674, -0.4719103657, -0.7786970763, -1.0097408265, -0.8823525654, 0.1039348126]
WEIGHTED = 26954.090994


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of data sets, empty at first, and CIFAR-10 of ten images a file."""
    monkeypatch.setenv("ANALOGFF_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cifar10, "_RECORDS", 10)
    return tmp_path


def records():
    """Return six files of ten images, one of each class."""
    bytes_of = np.random.default_rng(0).integers(0, 256, (6, 10, 3073), dtype=np.uint8)
    bytes_of[:, :, 0] = np.arange(10)
    return dict(zip(cifar10.FILES, bytes_of, strict=True))


def write_files(folder):
    folder.mkdir(parents=True)
    for name, content in records().items():
        (folder / name).write_bytes(content.tobytes())


def write_archive(path, monkeypatch):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"readme.html": np.zeros(3, np.uint8), **records()}.items():
            info = tarfile.TarInfo(f"{cifar10.FOLDER}/{name}")
            info.size = content.nbytes
            archive.addfile(info, io.BytesIO(content.tobytes()))
    monkeypatch.setattr(cifar10, "_SUM", hashlib.md5(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("where", ["cifar10/cifar-10-batches-bin", "cifar-10-batches-bin", "cifar10", "archive"])
def test_cifar10_is_read_from_its_binary_version(place, monkeypatch, where):
    if where == "archive":
        write_archive(place / cifar10.ARCHIVE, monkeypatch)
    else:
        write_files(place / where)
    data = load_dataset("cifar10")
    assert data.image == ImageShape(3, 32, 32) and data.label_names == cifar10.CLASSES
    assert (len(data.train), len(data.test)) == (50, 10)
    for n, name in enumerate((*cifar10.FILES[:5], "test_batch.bin")):
        split = data.train.images[10 * n :] if n < 5 else data.test.images
        planes = torch.tensor(records()[name][:, 1:] / 255, dtype=torch.float32).view(10, 3, 1024)
        assert torch.equal(split[:10], planes.mT.flatten(1)), "red, green and blue of a pixel together"
    assert data.test.labels.tolist() == list(range(10))
    assert (fingerprint("cifar10") == "") == (where == "archive"), "the content of the archive is known"


def test_cifar10_that_is_not_there_says_what_to_put_where(place):
    with pytest.raises(DataError, match=r"cifar-10-binary.tar.gz in .*cifar10 or .* Got no such file. Put the binary"):
        check_dataset("cifar10")
    (place / "cifar-10-python.tar.gz").write_bytes(b"")
    with pytest.raises(DataError, match="Got the Python version, whose pickles may run code when loaded. Put the bin"):
        check_dataset("cifar10")
    (place / "cifar10-jpeg").mkdir()
    (place / "cifar10-jpeg" / cifar10.JPEG_ARCHIVE).write_bytes(b"")
    with pytest.raises(DataError, match='there, or write dataset = "cifar10-jpeg" for the JPEG copy that is there'):
        check_dataset("cifar10")


def test_without_a_folder_of_data_the_variable_is_named(monkeypatch):
    monkeypatch.delenv("ANALOGFF_DATA", raising=False)
    for name in ("cifar10", "cifar10-jpeg"):
        with pytest.raises(DataError, match="in the folder that ANALOGFF_DATA names, which is not set"):
            check_dataset(name)


def test_damaged_cifar10_is_refused(place, monkeypatch):
    write_archive(place / cifar10.ARCHIVE, monkeypatch)
    monkeypatch.setattr(cifar10, "_SUM", "0" * 32)
    with pytest.raises(DataError, match="with the published sum, MD5 0+. Got another content"):
        load_dataset("cifar10")
    (place / cifar10.ARCHIVE).unlink()
    write_files(place / "cifar10")
    batch = place / "cifar10" / "data_batch_3.bin"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-1])
    with pytest.raises(DataError, match="Expected 30,730 bytes in .*data_batch_3.bin. Got 30,729"):
        load_dataset("cifar10")
    batch.write_bytes(b"\xff" + whole[1:])
    with pytest.raises(DataError, match="labels up to 9 in .*data_batch_3.bin. Got 255"):
        load_dataset("cifar10")


def test_cifar10_in_jpeg_is_another_data_set(place):
    with pytest.raises(DataError, match='cifar10-jpeg.tar.xz in .* or write dataset = "cifar10" for the binary'):
        check_dataset("cifar10-jpeg")
    (place / "cifar10-jpeg").mkdir()
    image = np.kron(
        np.random.default_rng(0).integers(0, 256, (2, 2, 3), dtype=np.uint8), np.ones((16, 16, 1), np.uint8)
    )
    packed = io.BytesIO()
    Image.fromarray(image).save(packed, "jpeg")
    with tarfile.open(place / "cifar10-jpeg" / cifar10.JPEG_ARCHIVE, "w:xz") as archive:
        for part in ("train", "test"):
            for label in ("cat", "dog"):
                for n in range(2):
                    info = tarfile.TarInfo(f"{part}/{label}/{n}.jpg")
                    info.size = len(packed.getvalue())
                    archive.addfile(info, io.BytesIO(packed.getvalue()))
    data = load_dataset("cifar10-jpeg")
    assert data.image == ImageShape(3, 32, 32) and data.label_names == ("cat", "dog")
    seen = data.train.images[0].view(32, 32, 3)[8::16, 8::16] * 255
    assert (seen - torch.tensor(image[8::16, 8::16], dtype=torch.float32)).abs().max() < 25, "quality 75, colors halved"
    assert len(fingerprint("cifar10-jpeg")) == 64


@pytest.fixture(scope="module")
def published():
    return signals()


@pytest.mark.slow
def test_mnist1d_is_the_published_one(published):
    """Against the file of the authors' repository: its first signal, and sums that any other signal would change."""
    found, labels = published
    assert labels[:12].tolist() == FIRST_LABELS
    assert found[0, :6] == pytest.approx(FIRST_POINTS, abs=1e-9)
    assert np.square(found).sum() == pytest.approx(200_000) and found.sum() == pytest.approx(0, abs=1e-6)
    assert (found * np.arange(1, 41)).sum() == pytest.approx(WEIGHTED, abs=1e-5)
    assert np.bincount(labels).tolist() == [500] * 10


@pytest.mark.slow
def test_mnist1d_is_one_row_of_points_above_and_below_zero(published):
    data = load_dataset("mnist1d")
    assert data.image == ImageShape(2, 1, 40) and (len(data.train), len(data.test)) == (4000, 1000)
    points = data.train.images.view(4000, 40, 2)
    assert (points.prod(-1) == 0).all() and points.max() == 1
    signed = points[..., 0] - points[..., 1]
    assert torch.allclose(signed / signed.std(), torch.tensor(published[0][:4000], dtype=torch.float32), atol=0.03)


@pytest.mark.slow
def test_another_seed_is_another_mnist1d(published):
    assert np.array_equal(published[0], signals(42)[0]) and not np.array_equal(published[0], signals(1)[0])


def test_a_linear_classifier_of_mnist1d_is_as_bad_as_published(published):
    """32 % are right (Greydanus and Kobak, table 1); a share of 1000 has a standard deviation of 1.5 %."""
    found, labels = published
    linear = LogisticRegression(max_iter=100).fit(found[:4000], labels[:4000])
    assert abs(linear.score(found[4000:], labels[4000:]) - 0.32) < 0.045


def resized_means(images, size):
    """Return the means of equal blocks, which a bilinear resampling to a divisor of the sides is near to."""
    n, channels, height, width = images.shape
    return images.reshape(n, channels, size, height // size, size, width // size).mean((3, 5))


def test_stored_arrays_are_resized_and_grayed_as_files_are(tmp_path):
    """Smooth images, whose pixels are near the means of their blocks."""
    ramp = np.linspace(0, 200, 16)
    images = np.stack([ramp[:, None] + 0 * ramp, 0 * ramp[:, None] + ramp, (ramp[:, None] + ramp) / 2])[None].repeat(
        4, 0
    )
    for dtype, scale in ((np.uint8, 255), (np.float64, 255.0)):
        for part in ("train", "test"):
            np.savez(tmp_path / f"{part}.npz", images=images.astype(dtype), labels=np.arange(4) % 2)
        small = load_dataset(str(tmp_path), image_size=8, scale=scale)
        assert small.image == ImageShape(3, 8, 8)
        planes = small.train.images.view(4, 8, 8, 3).permute(0, 3, 1, 2) * 255
        inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))
        assert (planes - torch.tensor(resized_means(images, 8)))[inner].abs().max() < 1.01
        gray = load_dataset(str(tmp_path), gray=True, scale=scale)
        assert gray.image == ImageShape(1, 16, 16)
        luma = np.tensordot(images, [0.299, 0.587, 0.114], axes=(1, 0)).reshape(4, -1)
        assert (gray.train.images * 255 - torch.tensor(luma)).abs().max() < 2.01


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("mnist", {"gray": True}, "Expected three colors beside gray. Got 1 in mnist. Leave gray out"),
        ("table", {"image_size": 4}, r"Expected images \(n, height, width\) beside image_size. Got an array \(4, 6\)"),
    ],
)
def test_a_change_of_images_that_makes_no_sense_is_refused(tmp_path, name, options, said):
    (tmp_path / "table").mkdir()
    for part in ("train", "test"):
        np.savez(tmp_path / "table" / f"{part}.npz", images=np.eye(4, 6), labels=np.arange(4) % 2)
    with pytest.raises(DataError, match=said) as raised:
        load_dataset(name, folder=tmp_path, **options)
    assert raised.value.field in options
