"""Which controls a study gets, and which of them are one."""

import pytest

from analogff.study.case import LINEAR_DIGITAL, NO_DEVICE, SAME_SIZE_DIGITAL
from analogff.study.read.spec import read_study
from analogff.study.run.plan import plan_runs
from analogff.support.mistakes import StudyError
from tests.study.conftest import HEAD

ALL = "controls = true\n"
TWO = '\n[[rule]]\nname = "backprop"\nbatch = 20\n[[rule]]\nname = "forward-forward"\nlearning_rate = 0.01\n'


def described(study):
    return [(case.shown.name, case.control, case.values) for case in study.cases if case.control]


def test_every_rule_has_three(write_study):
    study = read_study(write_study(more=ALL, rule=TWO))
    expected = [
        (rule, c) for rule in ("backprop", "forward-forward") for c in (NO_DEVICE, SAME_SIZE_DIGITAL, LINEAR_DIGITAL)
    ]
    assert [(rule, control) for rule, control, _ in described(study)] == expected
    silent, same, linear = study.cases[-3:]
    assert [device.reference for device in silent.devices] == ["analogff.device.silent:Silent"]
    assert [device.reference for device in same.devices] == ["ideal"]
    assert (linear.devices, linear.settings.layers, linear.rule.name) == ((), (), "backprop")
    assert (linear.rule.options["learning_rate"], linear.rule.options["batch"]) == (0.01, 100)
    assert silent.rule == same.rule == linear.control_of == study.cases[1].rule
    assert silent.settings.layers == same.settings.layers == (8,)


def test_without_being_asked_for_there_are_none(write_study):
    assert not described(read_study(write_study(rule=TWO)))


def test_what_a_control_does_not_have_is_not_swept_in_it(write_study):
    sweep = '\n[sweep]\n"device.read_noise" = [0.1, 0.2]\n"layers.0" = [8, 9]\n"rule.batch" = [10, 20]\n'
    told = described(read_study(write_study(more=ALL, sweep=sweep)))
    noise, width, batch = "device.read_noise", "layers.0", "rule.batch"
    for control, widths in ((NO_DEVICE, (8, 9)), (SAME_SIZE_DIGITAL, (8, 9)), (LINEAR_DIGITAL, (None,))):
        points = [values for _, name, values in told if name == control]
        assert points == [{noise: None, width: w, batch: b} for w in widths for b in (10, 20)]


def test_controls_change_no_key_of_what_they_are_controls_for(write_study):
    keys = [[run.key for run in plan_runs(read_study(write_study(more=more, rule=TWO)))] for more in ("", ALL)]
    assert keys[1][: len(keys[0])] == keys[0]
    assert len(set(keys[1])) == len(keys[1]) == 4 * len(keys[0])


def test_a_study_on_exact_layers_has_its_control_all_the_same(write_study):
    study = read_study(write_study(more=ALL, device='\n[device]\nmodel = "ideal"\n'))
    assert len(plan_runs(study)) == 2 * 4


def test_a_head_that_is_a_device_is_silent_and_exact_too(write_study):
    study = read_study(write_study(more=f'{ALL}head = "device"\n'))
    assert [(c.control, len(c.devices), c.settings.head) for c in study.cases[1:]] == [
        (NO_DEVICE, 2, "device"),
        (SAME_SIZE_DIGITAL, 2, "device"),
        (LINEAR_DIGITAL, 0, "digital"),
    ]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"more": "controls = 1\n"}, "controls: Expected true or false. Got 1."),
        ({"sweep": "\n[sweep]\ncontrols = [true, false]\n"}, "sweep.controls: Expected a path that can be swept."),
        (
            {"more": ALL, "head": HEAD.replace("chips = 2", "chips = 30000")},
            "sweep: Expected at most 100,000 runs. Got 120,000",
        ),
    ],
)
def test_is_refused(parts, said, write_study):
    with pytest.raises(StudyError) as caught:
        read_study(write_study(**parts))
    assert str(caught.value).startswith(said)
