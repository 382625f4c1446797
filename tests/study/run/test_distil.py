"""Students learn from answers, from scores or on images nobody labeled, on chips of their own kind or of another."""

import numpy as np
import pytest
import torch

from analogff.data import Split
from analogff.study.events import Distil
from analogff.study.read.spec import read_study
from analogff.study.run.lesson import lesson
from analogff.support.mistakes import StudyError
from tests.study.conftest import RULE
from tests.study.run.test_life import FAST, FORWARD, IDEAL, LEARNING, LOOK, event, lived

SOFT = '"soft"'
UNLABELED = '"unlabeled"'
ONE = LEARNING.replace("chips = 2", "chips = 1")
SOME = ONE + "train_images = 500\n"  # of 1437, of which 50 are held out


class _Teacher:
    """Scores by the first pixels, and what it was shown."""

    class network:
        class head:
            compute = staticmethod(lambda *work: None)

    def __init__(self):
        self.shown = []

    def scores(self, images):
        self.shown.append(images)
        return images[None, :, :3]

    def predict(self, images):
        return self.scores(images).argmax(-1)


class _Chips:
    class ledger:
        phase = ""


def _data():
    images = torch.rand(8, 5, generator=torch.Generator().manual_seed(1))
    train = Split(images[:5], torch.zeros(5, dtype=torch.int64))
    return type("Data", (), {"train": train, "unlabeled": images[5:]})()


def test_soft_labels_are_the_softmax_of_scores_over_the_temperature():
    data = _data()
    given = lesson(Distil(to=1, labels="soft", temperature=2.0), _Teacher(), _Chips, data)
    expected = (data.train.images[:, :3] / 2).exp()
    torch.testing.assert_close(given.labels, expected / expected.sum(1, keepdim=True))


def test_unlabeled_images_are_those_that_nobody_learned_from():
    data, teacher = _data(), _Teacher()
    given = lesson(Distil(to=1, images_from="unlabeled", images=2), teacher, _Chips, data)
    assert torch.equal(given.images, data.unlabeled[:2]) and torch.equal(torch.cat(teacher.shown), given.images)
    assert torch.equal(given.labels, data.unlabeled[:2, :3].argmax(1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "temperature"),
    [
        ("backprop", 2.0),
        pytest.param("forward-forward", 0.25, marks=pytest.mark.slow),
        pytest.param("mono-forward", 2.0, marks=pytest.mark.slow),
    ],
)
def test_a_student_learns_from_scores(rule, temperature, write_study, tmp_path):
    # a label that is drawn from the scores is often wrong, so a student sees more images than its teacher did
    taught = event("distil", to=5, epochs=10, labels=SOFT, temperature=temperature) + LOOK
    path = write_study(head=SOME, device=IDEAL, rule=f'\n[[rule]]\nname = "{rule}"\n{FAST}', sweep=LOOK + taught)
    events = lived(path, tmp_path / "out")
    teacher, student = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    assert (student < teacher + 10).all() and (student < 40).all()  # chance has 90
    reads = events[events["chip"] == 0].set_index("event")["reads"]
    assert reads[2] > 2 * reads[1]  # those of the teacher's answers too


@pytest.mark.slow
def test_a_student_learns_on_images_without_labels(write_study, tmp_path):
    taught = event("distil", to=5, epochs=5, images_from=UNLABELED, images=800) + LOOK
    path = write_study(head=SOME, device=IDEAL, rule=RULE + FAST, sweep=LOOK + taught)
    events = lived(path, tmp_path / "out")
    student = events[events["event"] == 3]
    assert (student["test_error"] < 25).all() and (student["images"] == 5 * 800).all()


@pytest.mark.slow
def test_a_student_may_be_of_another_kind_and_learn_by_another_rule(write_study, tmp_path):
    other = '{ model = "photodetector" }'
    taught = event("distil", to=5, epochs=3, labels=SOFT, device=other, rule='{ name = "mono-forward" }') + LOOK
    path = write_study(head=SOME, device=IDEAL, rule=RULE + FAST, sweep=taught)
    events = lived(path, tmp_path / "out")
    assert (events[events["event"] == 2]["test_error"] < 80).all()
    one = events[events["chip"] == 0].set_index("event")
    assert one["device_joules"][1] > 0 and one["pulses"][1] > 0  # the ideal teacher costs neither


@pytest.mark.slow
def test_a_parameter_of_the_other_kind_can_be_set_afterwards(write_study, tmp_path):
    other = event("distil", to=5, device='{ model = "mzi-mesh" }')
    late = event("set", path='"device.phase_noise_radians"', value=0.0) + event("train", images=50) + LOOK
    events = lived(write_study(device=IDEAL, rule=FORWARD, sweep=other + late), tmp_path / "out")
    assert events["test_error"].notna().sum() == 2
    with pytest.raises(StudyError, match="phase_noise_radians"):
        read_study(write_study(device=IDEAL, rule=FORWARD, sweep=late + other), ())


@pytest.mark.slow
def test_known_weights_are_copied_onto_another_kind(write_study, tmp_path):
    """An exact mesh of ideal neurons does what the ideal chip did."""
    exact = (
        "phase_bits = 0, phase_noise_radians = 0.0, write_noise_radians = 0.0, coupler_error = 0.0, read_noise = 0.0"
    )
    same = f'{{ model = "mzi-mesh", {exact}, adc_bits = 0, dac_bits = 0, insertion_loss_decibel = 0.0 }}'
    path = write_study(head=SOME, device=IDEAL, rule=RULE + FAST, sweep=LOOK + event("copy", to=7, device=same) + LOOK)
    events = lived(path, tmp_path / "out")
    before, after = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    np.testing.assert_allclose(before, after, atol=1.0)  # up to the end of the detectors' range


@pytest.mark.slow
def test_a_distillation_is_the_same_alone_and_beside_others(write_study, tmp_path):
    life = event("distil", to=5, relative="true", labels=SOFT, device='{ model = "photodetector" }') + LOOK
    two = lived(write_study(rule=FORWARD, sweep=life), tmp_path / "two")
    head = LEARNING.replace("epochs = 5", "epochs = 1").replace("[32]", "[8]") + "train_images = 200\n"
    one = lived(write_study(head=head.replace("chips = 2", "chips = [1]"), rule=FORWARD, sweep=life), tmp_path / "one")
    mine = two[two["chip"] == 1].reset_index(drop=True)
    assert mine.drop(columns="run").equals(one.drop(columns="run"))


PERTURBED = '\n[[rule]]\nname = "weight-perturbation"\n'


@pytest.mark.parametrize(
    ("rule", "life", "expected"),
    [
        (FORWARD, event("distil", to=5, labels='"true"', images_from=UNLABELED), '"teacher" or "soft" beside'),
        (FORWARD, event("distil", to=5, temperature=2.0), 'labels = "soft" beside it'),
        (PERTURBED, event("distil", to=5, labels=SOFT), "a teacher that gives a score of each class"),
        (FORWARD, event("distil", to=5, images_from=UNLABELED, images=5000), "at most the 1187 unlabeled images"),
        (FORWARD, event("copy", to=5, device='{ model = "mzi-mesh" }'), "known weights, for a copy onto another kind"),
        (RULE, event("copy", to=5, device='{ model = "mzi-mash" }'), "Did you mean mzi-mesh"),
        (RULE, event("copy", to=5, device='{ model = "mzi-mesh", mesh_size = 1 }'), "mesh_size"),
        (RULE, event("distil", to=5, device='{ model = "acoustic-cavity" }'), "prints no neuron curve"),
    ],
)
def test_what_does_not_fit_is_refused(rule, life, expected, write_study):
    path = write_study(device=IDEAL, rule=rule, sweep=life)
    with pytest.raises(StudyError, match=expected):
        read_study(path, ())
