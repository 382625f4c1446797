"""What the documents say works as written."""

import dataclasses
import importlib
import re
import runpy
from pathlib import Path

import pytest
import torch

import analogff
from analogff.catalog import registered, resolve_device, resolve_rule, rule_names
from analogff.catalog.descriptions import describe, describe_fields, describe_rule
from analogff.catalog.names import DEVICES as DEVICES_GROUP
from analogff.cli import main
from analogff.study.settings import FIELDS, TABLES, Settings
from analogff.training.epoch import NUMBERS

ROOT = Path(__file__).parent.parent


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.S)


def written(page, folder, *languages):
    """Write the blocks of a page that name their file, and return the names."""
    names = []
    for language in languages or ("python",):
        for block in blocks(page, language):
            if match := re.match(r"# (\w+\.(?:py|csv|toml))\n", block):
                (folder / match[1]).write_text(block)
                names.append(match[1])
    return names


def status(*arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    return stop.value.code


DEVICES = [
    ("README.md", "my_chip.py:Diode"),
    ("docs/guides/add-a-device.md", "my_chip.py:Diode"),
    ("docs/guides/add-a-device.md", "my_array.py:Sloppy"),
    ("docs/guides/add-a-device.md", "my_noisy_chip.py:Noisy"),
    ("docs/guides/add-a-device.md", "my_rig.py:Rig"),
]


@pytest.mark.parametrize(("page", "device"), DEVICES)
def test_the_devices_of_the_documents_honor_the_contract(page, device, tmp_path, monkeypatch, capsys):
    written(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert status("check", device) == 0, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_the_study_of_the_device_page_runs(tmp_path, monkeypatch, capsys):
    page = "docs/guides/add-a-device.md"
    written(page, tmp_path)
    (tmp_path / "study.toml").write_text(blocks(page, "toml")[0])
    monkeypatch.chdir(tmp_path)
    small = [f"--set={s}" for s in ("dataset=digits", "train_images=200", "layers=[16]", "epochs=1", "chips=2")]
    assert status("run", "study.toml", "--workers", 0, "--set=validation_images=50", *small) == 0, capsys.readouterr()
    assert (tmp_path / "results/my-diode/figures/error_vs_device_saturation_current.pdf").exists()


def test_the_crossbar_of_the_device_page_has_units_of_its_own_and_fills_its_table(tmp_path, monkeypatch, capsys):
    from analogff.device import check_device, fabricate

    page = "docs/guides/add-a-device.md"
    written(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    model = resolve_device("my_crossbar.py:Ohmic", tmp_path)
    assert check_device(model).passed
    assert status("devices", "my_crossbar.py:Ohmic") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Voltage of an input of 1; drivers end at four times this." in said and "above 0" in said
    assert "Units: An input of 1 is" in said and "Source: None: an example." in said
    x = torch.rand(1, 4000, 64).mul(3**0.5).clamp(max=4)  # mean square 1
    chip = fabricate(model, 64, 32, seeds=[0])
    sums = (x[0] @ (chip.devices[0].difference / 100e-6).T).square().mean().sqrt()
    assert 0.8 < sums < 1.2, "fresh sums are near 1"


def test_the_device_page_names_every_field_of_the_datasheet():
    from analogff.device import Datasheet

    text = (ROOT / "docs/guides/add-a-device.md").read_text()
    assert not [field.name for field in dataclasses.fields(Datasheet) if f"`{field.name}`" not in text]


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_a_chip_that_is_only_pulsed_is_refused_by_backprop_as_the_page_says(tmp_path, monkeypatch, capsys):
    written("docs/guides/add-a-device.md", tmp_path)
    (tmp_path / "study.toml").write_text(blocks("docs/guides/add-a-device.md", "toml")[0].replace("[sweep]", "[other]"))
    monkeypatch.chdir(tmp_path)
    for model, code in (("my_crossbar.py:Ohmic", 0), ("my_array.py:Sloppy", 2)):
        told = [f"--set={s}" for s in (*SMALL, f"device.model={model}", 'rule=[{name="backprop"}]')]
        path = tmp_path / "study.toml"
        path.write_text(path.read_text().partition("[other]")[0])
        assert status("run", "study.toml", "--workers", 0, "--out", tmp_path / str(code), *told) == code
    assert "prints no neuron curve" in capsys.readouterr().err


SMALL = ("dataset=digits", "train_images=200", "layers=[16]", "epochs=1", "chips=2", "validation_images=50")


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_the_measured_data_of_the_documents_is_a_device_that_learns(tmp_path, monkeypatch, capsys):
    page = "docs/guides/measured-data.md"
    assert written(page, tmp_path, "csv", "toml") == ["my_neurons.csv", "my_cells.csv", "study.toml"]
    monkeypatch.chdir(tmp_path)
    files = '[sweep]\n"device.file" = ["my_neurons.csv", "my_cells.csv"]\n'
    (tmp_path / "study.toml").write_text((tmp_path / "study.toml").read_text() + files)
    told = [f"--set={setting}" for setting in SMALL]
    assert status("run", "study.toml", "--workers", 0, *told) == 0, capsys.readouterr()


def test_the_messages_of_the_page_on_measured_data_are_what_is_said(tmp_path, monkeypatch, capsys):
    page = "docs/guides/measured-data.md"
    written(page, tmp_path, "csv", "toml")
    monkeypatch.chdir(tmp_path)
    shown = blocks(page, "text")[-1].splitlines()
    data = (tmp_path / "my_neurons.csv").read_text()
    lines = data.splitlines()
    lines[8] = "A,0.00,n/a"
    (tmp_path / "broken.csv").write_text("\n".join(lines))
    mistakes = [
        ("device.file=broken.csv", shown[0].replace("my_neurons", "broken")),
        ("device.input_full_scale=0.3", shown[1]),
        ("device.file=my_neuron.csv", shown[2].replace("/home/you", str(tmp_path))),
    ]
    for setting, said in mistakes:
        assert status("run", "study.toml", f"--set={setting}") == 2
        assert said in capsys.readouterr().err


def test_the_distribution_of_the_device_page_names_its_device(tmp_path):
    import tomllib

    page = "docs/guides/add-a-device.md"
    assert "pyproject.toml" in written(page, tmp_path, "python", "toml")
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())
    (name, place), *others = project["project"]["entry-points"]["analogff.devices"].items()
    package, _, model = place.partition(".chips:")
    assert not others and project["tool"]["setuptools"]["packages"] == [package]
    assert (
        f'`model = "{name}"`' in (ROOT / page).read_text()
        and f"class {model}(" in (tmp_path / "my_chip.py").read_text()
    )


def test_the_rule_of_the_documents_takes_a_step(tmp_path, monkeypatch):
    from tests.helpers.fakes import make_batch, make_chips

    written("docs/guides/add-a-rule.md", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for rule in (importlib.import_module("hebb").Hebb, importlib.import_module("homeostasis").Homeostasis):
        options, chips = rule.Options(), make_chips()
        assert rule(chips.seal(rule.needs(options)), options, seed=0).step(*make_batch()).shape == (2,)
        assert chips.ledger.total("pulses").min() > 0


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_the_rule_of_the_documents_learns_from_its_file(tmp_path, monkeypatch, capsys):
    written("docs/guides/add-a-rule.md", tmp_path, "python", "toml")
    monkeypatch.chdir(tmp_path)
    assert status("rules", "hebb.py:Hebb") == 0 and "Factor on the Hebbian term." in capsys.readouterr().out
    told = [f"--set={setting}" for setting in SMALL]
    assert status("run", "study.toml", "--workers", 0, *told) == 0
    assert "hebb.py:Hebb" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("blank_figures")
def test_the_network_of_ones_own_is_run_and_trained_as_the_page_says(tmp_path, monkeypatch, capsys):
    assert written("docs/guides/network.md", tmp_path, "python", "toml") == ["my_network.py", "study.toml"]
    monkeypatch.chdir(tmp_path)
    small = [f"--set={s}" for s in SMALL if "layers" not in s]
    assert status("run", "study.toml", "--workers", 0, *small) == 0, capsys.readouterr()
    runpy.run_path("my_network.py")
    assert capsys.readouterr().out.count("\n2 [") == 1


def test_the_guide_to_studies_names_every_table_column_and_registered_rule():
    text = (ROOT / "docs/guides/study.md").read_text()
    for name in {*FIELDS, *TABLES} - (set(Settings.model_fields) - set(TABLES)):
        assert f"[{name}]" in text, name
    for name in (*NUMBERS, "wall_seconds", "stopped_by", *rule_names()):
        assert f"`{name}`" in text, name


def test_the_guide_to_studies_names_options_that_rules_have():
    """In the notes on options, so that none outlives a renamed option."""
    text = (ROOT / "docs/guides/study.md").read_text()
    notes = text.partition("### Notes on options")[2].partition("\n## ")[0]
    named = re.findall(r"^\* \*\*`(\w+)`", notes, re.M)
    options = {option for rule in rule_names() for option in resolve_rule(rule).Options.model_fields}
    assert len(named) > 10 and set(named) <= options


def test_records_are_small():
    for path in (ROOT / "experiments").rglob("*"):
        assert not path.is_file() or path.stat().st_size < 1_000_000, path


@pytest.mark.parametrize(
    "name", [entry.name for entry in registered(DEVICES_GROUP) if entry.value.startswith("hardware_models.")]
)
def test_every_device_of_the_zoo_has_its_page(name):
    """As it is now: written anew (docs/device_pages.py) when a parameter came or went."""
    page = (ROOT / f"docs/devices/{name}.md").read_text()
    around = (ROOT / "docs/devices/periphery.md").read_text()
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    shared = set(re.findall(r"^\| `(\w+)` \|", around, re.M))
    wanted = {line.name for line in describe(resolve_device(name, ROOT)).parameters}
    assert named == (wanted - shared if "(periphery.md)" in page else wanted)
    assert f"({name}.md)" in (ROOT / "docs/devices/README.md").read_text()
    assert ":math:" not in page, "a formula in a table is plain text"
    assert (ROOT / f"docs/devices/{name}.png").exists()


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "devices").glob("*.md")), ids=lambda p: p.stem)
def test_no_page_of_a_device_names_a_version_that_passes(path):
    """Pages are written anew when a parameter comes or goes, not with every version."""
    assert not re.search(r"version\D{1,5}\d+\.\d+", path.read_text(), re.IGNORECASE)


def test_the_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.*)$", text, re.M) == [analogff.__version__]
    assert "\ncff-version: 1.2.0\n" in f"\n{text}" and "\nlicense: MIT\n" in text


def test_the_reference_is_as_generated(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    generator = importlib.import_module("rule_pages")
    pages = generator.pages()
    for name, text in pages.items():
        assert (generator.FOLDER / name).read_text() == text, "run python docs/rule_pages.py"
    for name in rule_names():
        for line in describe_rule(resolve_rule(name)).parameters:
            assert f"| `{line.name}` | {line.default} |" in pages["rules.md"], f"{name} {line.name}"
    for line in (line for model in (Settings, *TABLES.values()) for line in describe_fields(model)):
        assert f"| `{line.name}` | {line.default} |" in pages["study.md"] and line.meaning, line.name
