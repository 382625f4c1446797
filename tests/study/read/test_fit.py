"""Whether sizes fit is told for every point of a sweep, and asked no oftener than it may differ."""

import pytest

from analogff.rules.weight_perturbation import WeightPerturbation
from analogff.study.read.spec import read_study
from analogff.support.mistakes import StudyError


def test_what_points_share_is_asked_once_and_what_is_theirs_for_each(write_study, monkeypatch):
    """A rule is wired once for all devices; every device tells its own size, also the last of many."""
    chip = (
        "from analogff import Device\n"
        "class Chip(Device):\n"
        "    def __init__(self, n_in, n_out, *, seed, most: int = 100):\n"
        "        super().__init__(n_in, n_out)\n"
        "    def measure(self, x):\n"
        "        return x.relu()\n"
        "    @classmethod\n"
        "    def check_size(cls, n_in, n_out, *, most=100):\n"
        "        if n_in > most:\n"
        "            raise ValueError(f'Expected at most {most} inputs. Got {n_in}. Take fewer.')\n"
    )
    wired = []
    shapes = WeightPerturbation.layer_shapes.__func__
    monkeypatch.setattr(
        WeightPerturbation, "layer_shapes", classmethod(lambda cls, *sizes: wired.append(sizes) or shapes(cls, *sizes))
    )
    values = [*range(100, 130), 63]
    path = write_study(
        device='[device]\nmodel = "mine.py:Chip"\n',
        rule='[[rule]]\nname = "weight-perturbation"\n',
        sweep=f'[sweep]\n"device.most" = {values}\n',
        files={"mine.py": chip},
    )
    with pytest.raises(StudyError) as refused:
        read_study(path)
    assert [str(m) for m in refused.value.mistakes] == [
        "device: Expected at most 63 inputs. Got 64 (where device.most = 63). Take fewer."
    ]
    assert len(wired) <= 2, "of a rule that meets 31 devices: its shapes, and the lines that go by them"
