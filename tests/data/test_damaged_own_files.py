"""Images, archives and tables that a disk or a script has spoiled: data, or one sentence, and never a smaller set."""

import contextlib
import io
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from analogff.data import DataError, load_dataset, picture_set
from tests.data.test_damaged_files import check_data, check_sentence
from tests.helpers import damage

NAMES = [f"{part}/{label}/{n}" for part in ("train", "test") for label in ("a", "b") for n in range(2)]
quiet = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def packed(form, seed=0):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(file, form)
    return file.getvalue()


FILES = {f"{name}.png": packed("png", n) for n, name in enumerate(NAMES)}


def archive(mode):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as members:
        for name, content in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            members.addfile(info, io.BytesIO(content))
    return file.getvalue()


ARCHIVES = {"mine.tar": archive("w"), "mine.tar.gz": archive("w:gz"), "mine.tar.xz": archive("w:xz")}
TABLE = b"length,width,kind\n1.5,2,a\n0.5,7,b\n2,-3e1,a\n4,5,b\n8,9,a\n3,3,b\n"


def is_data_or_one_sentence(place, name, names, **options):
    with contextlib.suppress(AttributeError):
        picture_set.read_pictures.cache_clear()
    try:
        data = load_dataset(name, validation_images=None, folder=place, **options)
    except DataError as error:
        check_sentence(str(error), names)
        return None
    check_data(data)
    return data


@quiet
@given(st.sampled_from(sorted(FILES)), damage.damaged(st.sampled_from([packed("png"), packed("jpeg")])))
def test_a_spoiled_image_is_pixels_or_one_sentence(name, content):
    with tempfile.TemporaryDirectory() as place:
        for file, whole in (FILES | {name: content}).items():
            (Path(place) / "mine" / file).parent.mkdir(parents=True, exist_ok=True)
            (Path(place) / "mine" / file).write_bytes(whole)
        data = is_data_or_one_sentence(place, "mine", ["mine"])
        assert data is None or len(data.train) + len(data.validation) + len(data.test) == len(FILES)


@quiet
@given(st.data(), st.sampled_from(sorted(ARCHIVES)))
def test_a_spoiled_archive_is_data_or_one_sentence(data, name):
    content = data.draw(damage.damaged(st.just(ARCHIVES[name])))
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / name).write_bytes(content)
        found = is_data_or_one_sentence(place, name, [name])
        assert found is None or len(found.train) + len(found.validation) + len(found.test) == len(FILES)
        assert [path.name for path in Path(place).iterdir()] == [name]


@quiet
@given(damage.damaged(st.just(TABLE)) | st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_a_spoiled_table_is_data_or_one_sentence(content):
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "mine.csv").write_bytes(content)
        is_data_or_one_sentence(place, "mine.csv", ["mine.csv"], scale="columns")
