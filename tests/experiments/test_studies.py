"""Every study that is in the project can be run: it is read, and nothing is wrong with it."""

import importlib
import re
import subprocess
import sys
import tomllib

import pytest

from analogff.catalog import resolve_rule
from analogff.data import DataError, check_dataset
from analogff.study.read.spec import read_study
from tests.test_docs import ROOT, blocks, written

STUDIES = sorted((ROOT / "experiments").rglob("*.toml"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "experiments").rglob("*.md"))]
SHOWN = [
    pytest.param(page.relative_to(ROOT), block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "toml"))
    if "[[rule]]" in block and page.name != "your-data.md"  # whose data test_docs_your_data.py makes
]
REST = {
    "": 'name = "shown"\ndataset = "digits"\nlayers = [16, 16]\nepochs = 1\nchips = 2\n',
    "device": '\n[device]\nmodel = "unknown"\n',
}
"""What a page leaves out that shows some lines of a study."""


def completed(block):
    """Return a study of which a page shows all or some lines."""
    block = block.replace('dataset = "wine"\nscale   = "columns"\n', "")  # a folder of the user's own
    before, rule, after = block.partition("[[rule]]")
    return (
        (before if before.strip() else REST[""]) + ("" if "[device]" in block else REST["device"]) + "\n" + rule + after
    )


@pytest.mark.parametrize("path", sorted((ROOT / "experiments/literature").glob("*.toml")), ids=lambda path: path.stem)
def test_options_that_reach_a_published_number_lie_where_tuning_looks(path):
    """Otherwise a comparison of tuned rules is not fair to one that is good elsewhere."""
    for table in tomllib.loads(path.read_text())["rule"]:
        rule = resolve_rule(table["name"])
        options = rule.Options(**{name: value for name, value in table.items() if name not in ("name", "label")})
        for option, values in rule.search_space(options).items():
            share = values.share(getattr(options, option))
            assert share is None or 0 <= share <= 1, f"{option} = {getattr(options, option)} of {table['name']}"


@pytest.mark.slow
@pytest.mark.parametrize("path", STUDIES, ids=lambda path: str(path.relative_to(ROOT / "experiments")))
def test_every_study_of_an_experiment_is_without_mistakes(path):
    for dataset in set(re.findall(r'^dataset = "(fashion-mnist|cifar10-jpeg)"', path.read_text(), re.M)):
        try:
            check_dataset(dataset)
        except DataError:
            pytest.skip(f"{dataset} is not on this machine.")
    if (path.parent / "prepare.py").exists():
        subprocess.run([sys.executable, path.parent / "prepare.py"], cwd=ROOT, check=True)
    assert read_study(path).cases


@pytest.mark.parametrize(("page", "block"), SHOWN)
def test_every_study_of_a_page_is_without_mistakes(page, block, tmp_path):
    written(page, tmp_path, "python", "csv")
    (tmp_path / "study.toml").write_text(completed(block))
    assert read_study(tmp_path / "study.toml").cases


def test_every_experiment_is_once_in_the_index_with_a_command_that_is_there():
    index = (ROOT / "experiments/README.md").read_text()
    there = sorted(path.parent.name for path in (ROOT / "experiments").glob("*/README.md"))
    assert sorted(re.findall(r"^\| \[[^]]+\]\(([\w-]+)/README\.md\)", index, re.M)) == there
    for target in re.findall(r"\]\(([^):]+)\)", index) + re.findall(r"experiments/[\w/.-]+\.(?:toml|py)", index):
        base = ROOT if target.startswith("experiments/") else ROOT / "experiments"
        assert (base / target).exists(), target


def test_the_page_of_versions_is_what_the_records_say(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    written = (ROOT / "experiments" / "VERSIONS.md").read_text()
    assert importlib.import_module("versions").page() == written, "run python experiments/versions.py"
