"""Results are what was written, or are refused with the way out: nothing copied, missing, edited or flipped counts."""

import json
import random
import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from analogff.study.read.spec import read_study
from analogff.study.results.manifest import read_manifest
from analogff.study.results.parts import StoreError, part_name, read_part, write_part
from analogff.study.results.store import load_measurement, load_results
from analogff.study.run.engine import run_study
from tests.study.conftest import DEVICE, HEAD, RULE

FF = '[[rule]]\nname = "forward-forward"\nslope = "assumed"\nbatch = 20\n'
LOADS = {
    "results": load_results,
    "goodness": lambda out: load_measurement(out, "goodness"),
    "layers": lambda out: load_measurement(out, "layers"),
}


def run(path, out):
    return run_study(read_study(path), out, workers=0, console=Console(quiet=True))


def flip(path, byte, bit=0):
    content = bytearray(path.read_bytes())
    content[byte] ^= 1 << bit
    path.write_bytes(content)


def parts(out, kind="results"):
    return sorted((out / kind).glob("part-*.parquet"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    path = folder / "study.toml"
    path.write_text(HEAD.replace("epochs = 1", "epochs = 3\nevaluate_every = 2") + DEVICE + RULE + FF)
    run(path, folder / "out")
    return path, folder / "out"


@pytest.fixture
def study(finished, tmp_path):
    path, out = finished
    return path, shutil.copytree(out, tmp_path / "out")


def copied(out):
    for kind in ("results", "goodness", "layers"):  # a part whose siblings are missing is another damage
        part = out / kind / parts(out)[0].name
        if part.exists():
            shutil.copy(part, part.with_name("part-ffffffffffffffff.parquet"))


def copied_under_a_name_of_its_own(out):
    part = parts(out)[0]
    shutil.copy(part, part.with_name("part-0 (copy).parquet"))


def without_a_row(out):
    part = parts(out)[0]
    pq.write_table(pq.read_table(part).slice(1), part)


def without_an_epoch(out):
    """With the right sum, as a writer with a fault would."""
    part = parts(out)[0]
    table, beside = read_part(part)
    write_part(table.filter(pa.compute.equal(table["epoch"], 3)), part, beside)


def without_goodness(out):
    parts(out, "goodness")[0].unlink()


def without_layers(out):
    shutil.rmtree(out / "layers")


def with_other_goodness(out):
    part = parts(out, "goodness")[0]
    flip(part, part.stat().st_size // 4)


def cut_off(out):
    part = parts(out)[0]
    part.write_bytes(part.read_bytes()[:-100])


WRONG = {
    copied: "which part-.* holds already",
    copied_under_a_name_of_its_own: "Expected only parts of the results.*part-0 .copy..parquet.*Move it elsewhere",
    without_a_row: "content that does not match its checksum",
    without_an_epoch: r"epochs \[3\] of run .*, not \[2, 3\]",
    without_goodness: "goodness/part-.* as analogff wrote it. Got no such file, though its results are there",
    without_layers: "layers/part-.* as analogff wrote it. Got no such file, though its results are there",
    with_other_goodness: "goodness/part-",
    cut_off: "results/part-",
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", WRONG, ids=lambda damage: damage.__name__)
def test_damage_is_told_with_a_way_out_that_works(study, finished, damage):
    path, out = study
    damage(out)
    with pytest.raises(StoreError, match=WRONG[damage]) as refused:
        run(path, out)
    advised = str(refused.value).rpartition("Remove ")[2].partition(";")[0]
    (out / "results" / "part-0 (copy).parquet").unlink(missing_ok=True)
    if "Remove" in str(refused.value):
        assert advised.startswith(str(out / "results"))
        (out / "results" / advised.rpartition("/")[2]).unlink()
    run(path, out)
    for load in LOADS.values():
        mine, theirs = (load(folder) for folder in (out, finished[1]))
        pd.testing.assert_frame_equal(*(f.drop(columns="wall_seconds", errors="ignore") for f in (mine, theirs)))


@pytest.mark.parametrize("damage", [d for d in WRONG if d is not without_an_epoch], ids=lambda damage: damage.__name__)
def test_no_figure_is_drawn_of_damage(study, damage):
    damage(study[1])
    with pytest.raises(StoreError):
        [load(study[1]) for load in LOADS.values()]


@pytest.mark.slow
@pytest.mark.parametrize("kind, load", LOADS.items(), ids=LOADS)
def test_no_flipped_bit_gives_other_numbers(study, kind, load):
    """Wherever it is: in the pages, in the names of columns, in what the file says of itself."""
    _, out = study
    part, whole = parts(out, kind)[0], load(out)
    content, noticed, draws = part.read_bytes(), 0, random.Random(0)
    for _ in range(150):
        flip(part, draws.randrange(len(content)), draws.randrange(8))
        try:
            pd.testing.assert_frame_equal(load(out), whole, check_exact=True)
        except StoreError:
            noticed += 1
        part.write_bytes(content)
    assert noticed > 75


def test_a_column_without_values_is_of_the_type_that_was_written(tmp_path):
    """A flipped bit made a column of missing texts one of missing bytes, whose values are the same."""
    path = tmp_path / part_name(16 * "0")
    write_part(pa.table({"run": ["a"], "order": pa.array([None], pa.string())}), path)
    table, _ = read_part(path)
    assert table.schema.field("order").type == pa.string()
    kept = table.schema.metadata
    changed = table.set_column(1, "order", pa.array([None], pa.binary()))
    with pq.ParquetWriter(path, changed.schema, store_schema=False, write_page_checksum=True) as writer:
        writer.write_table(changed)
        writer.add_key_value_metadata(kept)
    with pytest.raises(StoreError, match="content that does not match"):
        read_part(path)


@pytest.mark.parametrize("content", ['{"study": {"na', "", "[]", '{"runs": 3}', "\x00"])
def test_a_damaged_manifest_is_written_anew(study, content):
    path, out = study
    whole = read_manifest(out)
    (out / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match="run the study again: results are kept, and the manifest is written again"):
        load_results(out)
    assert run(path, out).computed == 0
    assert read_manifest(out) | {"created": ""} == whole | {"created": ""}


@pytest.mark.slow
def test_what_is_not_ours_stays(study):
    path, out = study
    names = [*("results/notes.txt results/.draft.tmp goodness/mine.parquet goodness/part-mine.parquet".split()),
             "layers/part-0123456789abcdef.parquet", ".mine.tmp", "manifest.json.bak"]  # fmt: skip
    for name in names:
        (out / name).write_bytes(b"somebody's")
    before = {kind: len(load(out)) for kind, load in LOADS.items()}
    parts(out)[0].unlink()
    assert run(path, out).computed > 0
    assert all((out / name).read_bytes() == b"somebody's" for name in names)
    assert before == {kind: len(load(out)) for kind, load in LOADS.items()}


def test_a_part_does_not_carry_the_study(finished):
    """Ten thousand rates in each of ten thousand parts are gigabytes; ten thousand parts as small as these, 150 MB."""
    _, out = finished
    task = parts(out, "goodness")[0].name
    assert sum((out / kind / task).stat().st_size for kind in ("results", "goodness", "layers")) < 15_000
    told = pq.read_metadata(out / "results" / task).metadata
    assert b"analogff.study" not in told and json.loads(told[b"analogff.versions"])
