"""Names, paths and entry points to devices and rules."""

import importlib
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from analogff.catalog import CatalogError, resolve_device, resolve_rule
from analogff.catalog import names as catalog
from analogff.device import Device
from analogff.support import fingerprints
from analogff.support.messages import in_words, nearest

MINE = "import neighbor\nfrom analogff import Device\n\nclass Mine(Device):\n    def measure(self, x):\n        return neighbor.twice(x)\n"


class Owner:
    def __init__(self, name):
        self.name, self.version = name, "1.0"


class Point(EntryPoint):
    """An entry point of a distribution that is not installed."""

    def __init__(self, name, value, group, owner):
        super().__init__(name, value, group)
        vars(self).update(dist=Owner(owner))


@pytest.fixture
def install(monkeypatch):
    def add(*points):
        monkeypatch.setattr(catalog, "registered", catalog.registered.__wrapped__)  # not remembered
        real = catalog.entry_points
        monkeypatch.setattr(
            catalog, "entry_points", lambda group: [*real(group=group), *(p for p in points if p.group == group)]
        )

    return add


@pytest.mark.parametrize("name", catalog.device_names())
def test_every_registered_device_resolves(name):
    assert issubclass(resolve_device(name, Path.cwd()), Device)


@pytest.mark.parametrize("name", catalog.rule_names())
def test_every_registered_rule_resolves_and_describes_itself(name):
    rule = resolve_rule(name)
    assert rule.name == name and catalog.summary(rule).endswith(".")


def test_a_class_of_a_module_and_of_a_file(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "neighbor.py").write_text("def twice(x):\n    return 2 * x\n")
    assert resolve_device("analogff.device:Digital", tmp_path).__name__ == "Digital"
    assert resolve_device("mine.py:Mine", tmp_path).__name__ == "Mine"
    assert resolve_device("./mine.py:Mine", tmp_path) is resolve_device("mine.py:Mine", tmp_path)
    assert not (tmp_path / "__pycache__").exists()


RULE = """
from analogff.device import Observable
from analogff.rules import Rule
from analogff.timing import LocalUpdates

class Mine(Rule):
    name = "mine"
    needs = classmethod(lambda cls, options: Observable.ACTIVITY)
    schedule = classmethod(lambda cls, options: LocalUpdates())
    def step(self, images, labels):
        return 0 * images.sum() * labels.sum()

class Unfinished(Rule):
    needs = classmethod(lambda cls, options: Observable.ACTIVITY)
"""


def test_a_rule_of_a_module_and_of_a_file(tmp_path):
    (tmp_path / "mine.py").write_text(RULE)
    assert resolve_rule("analogff.rules.backprop:Backprop") is resolve_rule("backprop")
    assert resolve_rule("mine.py:Mine", tmp_path).name == "mine"
    before = catalog.fingerprint("mine.py:Mine", catalog.RULES, tmp_path)
    (tmp_path / "mine.py").write_text(RULE + "GAIN = 2\n")
    assert catalog.fingerprint("mine.py:Mine", catalog.RULES, tmp_path) != before


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("bakprop", "Expected a registered rule, package.module:Class or file.py:Class .*Did you mean backprop\\?"),
        ("FF", "Got 'FF'. Did you mean forward-forward\\?"),
        ("mine.py", "Got 'mine.py'. Add its class: mine.py:MyClass."),
        ("mine.py:Mne", "Got 'Mne'. Did you mean Mine\\?"),
        ("mine.py:Unfinished", "to say name, needs, schedule and step. Got a class without schedule, step, name."),
        ("analogff.device:Digital", "to be a class derived from analogff.learning.rule.Rule"),
        ("ours.py:Mine", "Expected a file of Python. Got .*ours.py, which is not there."),
    ],
)
def test_a_wrong_rule_is_told_with_the_nearest_right_one(reference, message, tmp_path):
    (tmp_path / "mine.py").write_text(RULE)
    with pytest.raises(CatalogError, match=message):
        resolve_rule(reference, tmp_path)


def test_an_entry_point_of_another_distribution(install):
    install(Point("theirs", "analogff.device:Digital", catalog.DEVICES, "their-chips"))
    assert "theirs" in catalog.device_names()
    assert resolve_device("theirs", Path.cwd()).__name__ == "Digital"
    assert catalog.fingerprint("theirs", catalog.DEVICES, Path.cwd()).startswith("their-chips ")


def test_a_broken_plug_in_names_its_distribution_and_breaks_nothing_else(install):
    install(Point("broken", "no.such.module:Chip", catalog.DEVICES, "their-chips"))
    with pytest.raises(CatalogError, match="Expected broken of their-chips to import. Got ModuleNotFoundError"):
        resolve_device("broken", Path.cwd())
    assert resolve_device("ideal", Path.cwd()).__name__ == "Ideal"


def test_a_name_with_two_owners_is_refused(install):
    install(Point("ideal", "analogff.device:Digital", catalog.DEVICES, "their-chips"))
    with pytest.raises(
        CatalogError, match="registrations by analogff and their-chips. Rename yours, or uninstall one."
    ):
        resolve_device("ideal", Path.cwd())


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("idael", "Expected a registered device.*Got 'idael'. Did you mean ideal\\?"),
        ("analogff.device:Digtal", "Got 'Digtal'. Did you mean Digital\\?"),
        ("analogff.device:Ledger", "to be a class derived from analogff.device.Device. Got .*Ledger"),
        ("nothing.py:Chip", "Expected a file of Python. Got .*nothing.py, which is not there"),
    ],
)
def test_a_wrong_reference_is_told_with_the_nearest_right_one(reference, message, tmp_path):
    with pytest.raises(CatalogError, match=message):
        resolve_device(reference, tmp_path)


def test_an_edited_file_has_another_fingerprint(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    before = catalog.fingerprint("mine.py:Mine", catalog.DEVICES, tmp_path)
    (tmp_path / "mine.py").write_text("# Mine.\n" + MINE)
    assert catalog.fingerprint("mine.py:Mine", catalog.DEVICES, tmp_path) == before
    (tmp_path / "mine.py").write_text(MINE.replace("twice", "thrice"))
    assert catalog.fingerprint("mine.py:Mine", catalog.DEVICES, tmp_path) != before


def test_an_edited_file_and_what_it_imports_are_imported_anew(tmp_path):
    def answer():
        return resolve_device("mine.py:Mine", tmp_path).measure(None, 3.0)

    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "neighbor.py").write_text("import further\ntwice = further.times(2)\n")
    (tmp_path / "further.py").write_text("def times(n):\n    return lambda x: n * x\n")
    before = catalog.fingerprint("mine.py:Mine", catalog.DEVICES, tmp_path)
    assert answer() == 6
    (tmp_path / "further.py").write_text("def times(n):\n    return lambda x: 5 * x\n")
    assert answer() == 15
    assert catalog.fingerprint("mine.py:Mine", catalog.DEVICES, tmp_path) != before
    (tmp_path / "mine.py").write_text(MINE.replace("(x)", "(x) + 1"))
    assert answer() == 16


def test_neighbors_of_one_name_in_two_folders_are_two(tmp_path):
    for n in (2, 3):
        (tmp_path / f"{n}").mkdir()
        (tmp_path / f"{n}" / "mine.py").write_text(MINE)
        (tmp_path / f"{n}" / "neighbor.py").write_text(f"def twice(x):\n    return {n} * x\n")
    answers = [resolve_device("mine.py:Mine", tmp_path / f"{n}").measure(None, 1.0) for n in (2, 3, 2)]
    assert answers == [2, 3, 2]


def test_a_file_goes_by_the_packages_of_devices_that_it_derives_from(tmp_path, monkeypatch):
    (tmp_path / "theirs.py").write_text("")
    (tmp_path / "mine.py").write_text("import theirs, numpy\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "theirs.py").rename(tmp_path / "lib" / "theirs.py")
    monkeypatch.syspath_prepend(tmp_path / "lib")

    def found(packages):
        monkeypatch.setattr(fingerprints, "_seen", {})  # as another process
        return fingerprints.sum_of_script(tmp_path / "mine.py", packages)

    with_it, without = found(["theirs"]), found([])
    (tmp_path / "lib" / "theirs.py").write_text("GAIN = 2\n")
    assert found(["theirs"]) != with_it and found([]) == without


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import torch\ntorch.relu = len\n", "Expected mine.py to change nothing that all devices share. Got another torch.relu."),
        ("import os\nos._exit(0)\n", "Expected mine.py to import. Got SystemExit: os._exit"),
        ("raise BaseException('own')\n", "Expected mine.py to import. Got BaseException: own (mine.py, line 1)"),
        ("import asyncio\nraise asyncio.CancelledError\n", "Expected mine.py to import. Got CancelledError"),
    ],
)  # fmt: skip
def test_what_an_import_does_to_everybody_is_refused(tmp_path, code, said):
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(CatalogError) as refused:
        resolve_device("mine.py:Mine", tmp_path)
    assert str(refused.value).startswith(said)


def test_a_module_loaded_after_an_edit_is_told(tmp_path, monkeypatch):
    (tmp_path / "theirs").mkdir()
    for name in ("__init__", "early", "late"):
        (tmp_path / "theirs" / f"{name}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fingerprints, "_seen", {})
    importlib.import_module("theirs.early")
    fingerprints.sum_of_package("theirs")
    for name in ("early", "late"):
        (tmp_path / "theirs" / f"{name}.py").write_text("GAIN = 2\n")
    assert fingerprints.loaded_after_an_edit() == []  # what runs was loaded before
    importlib.import_module("theirs.late")
    assert fingerprints.loaded_after_an_edit() == [tmp_path / "theirs" / "late.py"]
    for name in ("theirs", "theirs.early", "theirs.late"):
        del sys.modules[name]


def test_a_class_of_an_edited_package_has_another_fingerprint_whichever_file_was_edited(tmp_path, monkeypatch):
    (tmp_path / "theirs").mkdir()
    for name in ("__init__", "chips", "helpers"):
        (tmp_path / "theirs" / f"{name}.py").write_text("")
    (tmp_path / "alone.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def found(reference):
        monkeypatch.setattr(fingerprints, "_seen", {})  # as another process
        return catalog.fingerprint(reference, catalog.DEVICES, tmp_path)

    before = found("theirs.chips:Chip")
    assert before == found("theirs.chips:Chip") == found("theirs:Chip")
    (tmp_path / "theirs" / "helpers.py").write_text("GAIN = 2\n")
    edited = found("theirs.chips:Chip")
    assert edited != before
    (tmp_path / "theirs" / "helpers.py").rename(tmp_path / "theirs" / "gains.py")
    assert found("theirs.chips:Chip") not in (before, edited)
    before = found("alone:Chip")
    (tmp_path / "alone.py").write_text("GAIN = 2\n")
    assert found("alone:Chip") != before


def test_a_wrapped_device_goes_by_its_wrapper_too(tmp_path):
    bare, patched, faulty = (
        catalog.fingerprint(f, catalog.DEVICES, tmp_path) for f in ("ideal", "local-fields(ideal)", "faulty(ideal)")
    )
    assert patched.endswith(bare) and faulty.endswith(bare) and len({bare, patched, faulty}) == 3


def test_what_figures_are_drawn_with_decides_no_number(tmp_path, monkeypatch):
    (tmp_path / "analogff" / "figures").mkdir(parents=True)
    (tmp_path / "analogff" / "__init__.py").write_text("")
    monkeypatch.setattr(
        fingerprints.importlib.util,
        "find_spec",
        lambda _: SimpleNamespace(submodule_search_locations=[tmp_path / "analogff"]),
    )

    def found():
        monkeypatch.setattr(fingerprints, "_seen", {})  # as another process
        return fingerprints.sum_of_package("analogff")

    before = found()
    (tmp_path / "analogff" / "figures" / "style.py").write_text("SIZE = 3\n")
    assert found() == before
    (tmp_path / "analogff" / "train.py").write_text("")
    assert found() != before


def test_words():
    assert nearest("read_nose", ["adc_bits", "read_noise"]) == "read_noise"
    assert nearest("zzz", ["adc_bits"]) is None
    try:
        raise KeyError("x")
    except KeyError as error:
        assert in_words(error).startswith("KeyError: 'x' (test_catalog.py, line ")
