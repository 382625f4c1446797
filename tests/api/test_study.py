"""A study as an object: the same runs as those of its file."""

import pytest

import analogff as ff
from analogff.support.mistakes import StudyError
from tests.study.conftest import write_study  # noqa: F401
from tests.study.run.test_life import FORWARD

FIELDS = {"name": "tiny", "dataset": "digits", "layers": (8,), "epochs": 1, "chips": 2}
FIELDS |= {"train_images": 200, "validation_images": 50}


class Here(ff.Device):
    """A device of this file."""

    def measure(self, x):
        return x


@pytest.mark.slow
def test_an_object_and_a_file_are_the_same_runs(write_study, tmp_path, capsys):  # noqa: F811
    path = write_study(rule=FORWARD, sweep='\n[sweep]\n"device.read_noise" = [0.0, 0.1]\n')
    results = ff.Study.read(path).run(out=tmp_path / "out", workers=0, quiet=True)
    sweep = {"device.read_noise": [0.0, 0.1]}
    study = ff.Study(**FIELDS, device="unknown", rule="forward-forward", sweep=sweep)
    assert repr(study) == "Study('tiny': 4 runs)" and "2 x device.read_noise" in study._repr_html_()
    again = study.run(out=tmp_path / "out", workers=0)
    assert "All 4 runs are there already." in capsys.readouterr().out
    assert again.table.equals(results.table)


def test_settings_overrule_a_file_and_the_document_is_a_copy(write_study):  # noqa: F811
    study = ff.Study.read(write_study(), set=["chips=3"])
    assert repr(study) == "Study('tiny': 3 runs)"
    study.document["chips"] = 9
    assert study.document["chips"] == 3


def test_every_mistake_is_told():
    with pytest.raises(StudyError) as caught:
        ff.Study(**FIELDS | {"chips": 0}, device="idel", rule=["backprp"], epoch=1)
    said = str(caught.value)
    assert "chips: Expected" in said and "Did you mean ideal?" in said and "Did you mean backprop?" in said
    assert "Did you mean epochs?" in said


def test_a_class_of_a_notebook_is_refused_since_workers_cannot_import_it(monkeypatch):
    import __main__

    monkeypatch.setattr(__main__, "Here", Here, raising=False)
    monkeypatch.setattr(Here, "__module__", "__main__")
    with pytest.raises(StudyError, match="which is of this notebook or script alone. Put it into a file"):
        ff.Study(**FIELDS, device=Here, rule="forward-forward")


def test_an_edit_between_two_runs_is_seen(tmp_path):
    source = (
        "from analogff import Device\nclass Mine(Device):\n    def measure(self, x):\n        return x.clamp(min={})\n"
    )
    (tmp_path / "mine.py").write_text(source.format("0"))
    rule = {"name": "forward-forward", "slope": "assumed"}
    study = ff.Study(**FIELDS, device="mine.py:Mine", rule=rule, folder=tmp_path)
    (tmp_path / "mine.py").write_text(source.format("-1"))
    assert study.run(out=tmp_path / "out", workers=0, quiet=True).table["test_error"].notna().all()
