"""Before a study begins, a line for each plug-in whose results cannot be repeated or resumed."""

import pytest

from analogff.catalog import is_plug_in
from analogff.cli import main
from analogff.study.read.batches import oversized
from analogff.study.read.doubts import doubts
from analogff.study.read.spec import read_study
from analogff.study.run.outlook import outlook
from tests.study.conftest import RULE

CHIPS = """
import torch
from analogff import Device

class Good(Device):
    def __init__(self, n_in, n_out, *, seed, gain: float = 1.0):
        super().__init__(n_in, n_out)
        self.gain = gain

    def measure(self, x, bias=None):
        return torch.tanh(self.gain * (x if bias is None else x + bias))

class Forgets(Good):
    age = 0.0

    def measure(self, x, bias=None):
        return super().measure(x, bias) / (1 + self.age)

    def wait(self, seconds):
        self.age += seconds

class DrawsGlobally(Good):
    def measure(self, x, bias=None):
        return super().measure(x, bias) + torch.randn(x.shape)

class NotItself(Good):
    made = 0

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        NotItself.made += 1
        self.gain = 1.0 / NotItself.made

class Sociable(Good):
    banked = True

    def measure(self, x, bias=None):
        return super().measure(x / len(x), bias)
"""
WEIGHTS = RULE.replace("backprop", "weight-perturbation")


def said_of(write_study, *models):
    tables = "".join(f'[[device]]\nmodel = "{model}"\n' for model in models)
    layers = f"layers = {[8] * len(models)}\n"
    path = write_study(
        head=f'name = "tiny"\ndataset = "digits"\n{layers}epochs = 1\nchips = 2\ntrain_images = 200\n',
        more="validation_images = 50\n",
        device=tables,
        rule=WEIGHTS,
        files={"mine.py": CHIPS},
    )
    study = read_study(path)
    return list(doubts(study.cases, study.folder))


def test_a_device_that_keeps_its_promises_is_not_mentioned(write_study):
    assert said_of(write_study, "mine.py:Good", "reram") == []


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("Forgets", "a checkpoint does not restore it: an interrupted task resumes with other numbers"),
        (
            "DrawsGlobally",
            "a chip's outputs are not decided by its seed alone: runs can be neither repeated nor resumed",
        ),
        ("NotItself", "a chip's outputs are not decided by its seed alone: runs can be neither repeated nor resumed"),
        ("Sociable", "a chip's outputs depend on its neighbors: numbers depend on how runs are packed"),
    ],
)
def test_a_device_that_breaks_a_promise_is_told_in_one_line(model, told, write_study):
    (line,) = said_of(write_study, f"mine.py:{model}", f"mine.py:{model}")
    assert line.startswith(f"mine.py:{model}: {told}")
    assert line.endswith(f"`analogff check mine.py:{model}` says more.")
    assert line.count(": ") == 2, "one consequence, that of the first cause"


RULES = """
import torch
from analogff.device import Observable
from analogff.rules import Rule
from analogff.timing import LocalUpdates

class Plain(Rule):
    name = "plain"
    needs = classmethod(lambda cls, options: Observable.ACTIVITY)
    schedule = classmethod(lambda cls, options: LocalUpdates())
    strength = 1.0

    def step(self, images, labels):
        x = self.network.present(images)
        y = self.network.layers[0].measure(x)
        self.optimizers[0].descend(-self.factor() * y / len(labels), x)
        return y.mean((1, 2))

    def factor(self):
        return torch.rand((), generator=self.generator)

class DrawsGlobally(Plain):
    def factor(self):
        return torch.rand(())

class Forgets(Plain):
    def factor(self):
        self.strength *= -0.5
        return self.strength
"""


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("Plain", []),
        ("DrawsGlobally", ["its steps are not decided by its seed alone: runs can be neither repeated nor resumed"]),
        ("Forgets", ["a checkpoint does not restore it: an interrupted task resumes with other numbers"]),
    ],
)
def test_a_rule_that_breaks_a_promise_is_told_too(rule, told, write_study):
    study = read_study(write_study(rule=f'[[rule]]\nname = "rules.py:{rule}"\n', files={"rules.py": RULES}))
    assert list(doubts(study.cases, study.folder)) == [f"rules.py:{rule}: {line}." for line in told]


@pytest.mark.slow
def test_the_line_stands_before_the_results_and_the_study_runs(write_study, tmp_path, capsys):
    said_of(write_study, "mine.py:Forgets")
    arguments = ["run", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out"), "--workers", "0"]
    for expected in (True, False):  # nothing is left to be said of what is there already
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 0
        assert ("mine.py:Forgets: a checkpoint does not restore it" in capsys.readouterr().out) == expected


@pytest.mark.parametrize(
    ("reference", "theirs"),
    [
        ("reram", False),
        ("local-fields(faulty(reram))", False),
        ("analogff.device:Digital", False),
        ("hardware_models.memory_cells.reram:ReRAM", False),
        ("mine.py:Good", True),
        ("local-fields(mine.py:Good)", True),
        ("their_package.chips:Good", True),
    ],
)
def test_what_is_a_plug_in(reference, theirs):
    assert is_plug_in(reference) == theirs


@pytest.mark.parametrize(("batch", "images", "told"), [(100, 60, True), (60, 60, False), (10, 60, False)])
def test_a_batch_that_exceeds_the_images_is_told(write_study, batch, images, told):
    path = write_study(
        head=f'name = "tiny"\ndataset = "digits"\nlayers = [8]\nepochs = 1\nchips = 2\ntrain_images = {images}\n',
        rule=f"{WEIGHTS}batch = {batch}\n",
    )
    study = read_study(path)
    lines = list(oversized(study.cases, study.shapes))
    text = "its batches of 100 are larger than the 60 training images. Each step sees all of them."
    assert lines == ([f"weight-perturbation: {text}"] if told else [])
    assert (text in "\n".join(outlook(study))) == told
