"""The command, what it writes, and what it says of devices that cannot be measured."""

import functools
import json

import numpy as np
import pandas as pd
import pytest
import torch

from analogff import Device
from analogff.characterize import MeasuredTwin, characterize, inputs, linearity, write_down
from analogff.characterize.estimate import NotMeasurableError
from analogff.characterize.write_down import as_plain, rows
from analogff.cli import main
from analogff.device import Digital
from analogff.figures.drawing import Drawing
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown
from tests.helpers.bench_fakes import Constant, Hungry, Known
from tests.helpers.benches import make_bench
from tests.helpers.fakes import Leaky, Tanh


class Hot(Known):
    def pulse(self, change):
        raise RuntimeError("too hot")


class Lopsided(Known):
    """Pulses in turn drive its cells up for ever."""

    def pulse(self, change):
        super().pulse(torch.where(change > 0, 0.9, 0.7) * change)


class Lost(Device):
    def measure(self, x):
        return x * float("nan")


class Deaf(Known):
    def measure(self, x, bias=None):
        return super().measure(0 * x)


class Inverting(Known):
    def measure(self, x, bias=None):
        return self.high - super().measure(x, bias)


class Fading(Known):
    """Whose weights are gone after a minute."""

    def wait(self, seconds):
        self.weights = self.weights * float(np.exp(-seconds / 20))


class HalfDead(Known):
    def measure(self, x, bias=None):
        y = super().measure(x, bias)
        y[..., ::4] = 0
        return y


@functools.cache  # what is found is looked at from several sides, and never changed
def known(model, **sizes):
    return characterize(model, **{"n_in": 8, "n_out": 8, "chips": 2, **sizes})


def reasons(found):
    return {row.name: row.why for row in found.missing}


def values(found):
    return {estimate.name: estimate for estimate in found.estimates}


EVERYTHING = (Ideal, Digital, Leaky, Tanh, Constant, Hot, Lost, Deaf, Inverting, Fading, HalfDead, Lopsided)


@pytest.mark.slow
@pytest.mark.parametrize("model", EVERYTHING)
def test_no_device_gets_a_wrong_number_or_an_exception(model):
    found = known(model)
    assert not [why for why in reasons(found).values() if "the measurement failed" in why], reasons(found)
    assert all(np.isfinite(estimate.value).all() for estimate in found.estimates)
    json.dumps(as_plain(found), allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "figure", "why"),
    [
        (Digital, "drift exponent", "it has no weights of its own; those in front of it are digital"),
        (Tanh, "write step, asymmetry and spread", "it has no weights of its own; those in front of it are digital"),
        (Leaky, "superposition error", "there is no bias port, so that weighted sums have no unit"),
        (Ideal, "effective bits", "single reads do not differ from a smooth curve"),
        (Ideal, "output codes: step and nonlinearity", "outputs are continuous: hardly any value is met twice"),
        (Known, "output codes: step and nonlinearity", "outputs are continuous: hardly any value is met twice"),
        (Known, "symmetry point", "still know 100% of where they began"),
        (Lopsided, "symmetry point", "of the weighted sums are out of reach"),
        (Hot, "symmetry point", "the device failed: RuntimeError: too hot"),
        (Lost, "transfer curves", "some outputs are not finite numbers"),
        (Deaf, "twin", "outputs hardly depend on the inputs"),
        (Constant, "superposition error", "no neuron of some chip passes half of its range"),
        (Fading, "drift exponent", "sums fade away within 1e+06 s"),
        (HalfDead, "device-to-device spread", "some neurons never pass a level that the others pass"),
    ],
)
def test_what_cannot_be_measured_is_said_with_its_reason(model, figure, why):
    assert why in reasons(known(model))[figure]


def test_inputs_that_are_far_too_large_are_told_with_what_to_print():
    with pytest.raises(NotMeasurableError, match="of the weighted sums are out of reach") as why:
        linearity.measure(make_bench(Hungry, 1)[0])
    assert "print the greatest input that the device takes as input_max in its datasheet (which prints none)" in str(
        why.value
    )
    bench, _ = make_bench(Hungry, 1, greatest=0.001)
    for measured in (linearity, inputs):
        assert np.isfinite(measured.measure(bench).estimates[0].value).all()


def test_an_ideal_device_is_found_ideal():
    found = values(known(Ideal, chips=3))
    exact = {"gain": 0.5, "landed over asked": 1.0, "write asymmetry": 0.0, "crosstalk to neighbors": 0.0}
    for name, truth in (exact | {"drift exponent": 0.0, "noise, bias +1": 0.0, "twin: explained share": 1.0}).items():
        assert found[name].value == pytest.approx([truth] * 3, abs=2e-3), name


@pytest.mark.slow
def test_a_falling_neuron_is_measured_like_a_rising_one():
    fallen, risen = values(known(Inverting)), values(known(Known))
    assert fallen["gain"].value == pytest.approx(-risen["gain"].value, abs=0.02)
    for name in ("landed over asked", "effective bits"):
        assert fallen[name].value == pytest.approx(risen[name].value, rel=0.1)


@pytest.mark.slow
def test_silent_neurons_are_counted():
    assert values(known(HalfDead))["silent neurons"].value.tolist() == [2, 2]


@pytest.mark.slow
def test_chips_do_not_depend_on_their_number():
    one, two = values(known(Unknown, chips=1)), values(known(Unknown))
    for name in ("gain", "noise, bias +0", "output step"):  # stimuli alike, noise counted by the chip
        assert one[name].value[0] == two[name].value[0]
    assert "gain spread over chips" not in one


@pytest.mark.slow
def test_a_twin_is_differentiable_and_responds_with_its_slope():
    twin = known(Unknown).twin
    assert isinstance(twin, MeasuredTwin)
    x = torch.rand(2, 5, 8, requires_grad=True)
    y = twin(x)
    response = twin.respond(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(response.y, y.detach())
    torch.testing.assert_close(gradient, response.slope @ response.weights)


def test_sizes_that_are_too_small_are_a_sentence():
    with pytest.raises(ValueError, match="Expected at least 2 inputs, 4 outputs and 1 chip. Got 8, 3 and 2."):
        known(Ideal, n_out=3)


@pytest.mark.slow
def test_files(tmp_path):
    found = known(Unknown)
    files = write_down(found, tmp_path / "sheet")
    names = {path.name for path in files}
    assert {"datasheet.md", "datasheet.json", "transfer.png", "transfer.csv", "twin.pt"} <= names
    plain = json.loads((tmp_path / "sheet" / "datasheet.json").read_text())
    assert len(plain["figures"]) == len(found.estimates)
    for figure in plain["figures"]:
        assert figure["low"] <= figure["value"] <= figure["high"] and figure["how"] and figure["n"], figure["name"]
        if "chips" in figure:
            assert len(figure["chips"]) == 2
    text = (tmp_path / "sheet" / "datasheet.md").read_text()
    assert all(f"| {row[0]} |" in text for row in rows(found)) and "## Not measurable" in text
    table = pd.read_csv(tmp_path / "sheet" / "transfer.csv")
    assert set(table) == {"chip", "series", "x", "y", "low", "high"} and len(table) == 2 * 8 * 65
    assert found.twin is not None
    found.twin.load_state_dict(torch.load(tmp_path / "sheet" / "twin.pt", weights_only=True))


def call(*arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    return stop.value.code


SMALL = ("--n-in", "8", "--n-out", "8", "--chips", "2")


@pytest.mark.slow
def test_the_command_prints_the_table_and_writes_the_sheet(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Drawing, "save", lambda self, folder: [])  # `test_files` draws
    assert call("characterize", "unknown", "--set", "read_noise=0.02", *SMALL) == 0
    said = capsys.readouterr().out
    assert "effective bits" in said and "symmetry point: not measurable: " in said
    sheet = json.loads((tmp_path / "datasheets" / "unknown" / "datasheet.json").read_text())
    assert sheet["parameters"] == {"read_noise": 0.02} and sheet["chip_seeds"] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("idael",), 2, "Did you mean ideal?"),
        (("ideal", "--set", "neuro=relu"), 2, "Did you mean neuron?"),
        (("ideal", "--n-out", "2"), 2, "Expected at least 2 inputs, 4 outputs and 1 chip."),
        (
            ("mine.py:Broken",),
            1,
            "Expected mine.py:Broken to be made. Got KeyError: 'no such thing' (mine.py, line 4).",
        ),
        (("mine.py:Lost", *SMALL), 1, ""),
    ],
)
def test_a_mistake_is_a_sentence(arguments, status, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from analogff import Device\nclass Broken(Device):\n    def __init__(self, n_in, n_out, *, seed):\n"
        "        raise KeyError('no such thing')\n    def measure(self, x):\n        return x\n"
        "class Lost(Device):\n    def measure(self, x):\n        return x / 0\n"
    )
    assert call("characterize", *arguments, "--out", tmp_path / "out") == status
    said = capsys.readouterr()
    assert message in said.err and "Traceback" not in said.err + said.out


@pytest.mark.parametrize("out", ["taken", "taken/below", None])
def test_a_file_in_the_place_of_the_datasheet_is_refused_before_anything_is_measured(
    out, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    place = "datasheets" if out is None else "taken"
    (tmp_path / place).write_text("mine")
    monkeypatch.setattr("analogff.characterize.characterize", None)
    assert call("characterize", "ideal", *SMALL, *([] if out is None else ["--out", out])) == 2
    assert "--out: Expected a folder that can be written. Got " in capsys.readouterr().err
    assert (tmp_path / place).read_text() == "mine"
