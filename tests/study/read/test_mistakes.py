"""Broken studies: each is refused with its path, what was got, what is expected and the nearest right name."""

import pytest

from analogff.cli import main
from analogff.study.read.spec import read_study
from analogff.support.mistakes import StudyError
from tests.helpers.broken import BROKEN
from tests.study.conftest import DEVICE, HEAD, RULE


@pytest.mark.parametrize("case", BROKEN, ids=lambda name: name.replace(" ", "-"))
def test_is_refused_before_anything_is_written(case, write_study, tmp_path, capsys):
    parts, path, got, expected, near = BROKEN[case]
    study = write_study(**parts)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as stop:
        main(["run", str(study), "--out", str(tmp_path / "out"), "--workers", "0"])
    said = capsys.readouterr().err
    line = next((line for line in said.splitlines() if line.strip().startswith(path)), said)
    assert stop.value.code == 2
    assert path in line
    _, _, clauses = line.partition("Expected ")
    wanted, _, given = clauses.partition(" Got ")
    assert expected in wanted and got in given
    assert near is None or f"Did you mean {near}?" in given
    assert "Traceback" not in said and "pydantic" not in said and "http" not in said
    assert sorted(tmp_path.rglob("*")) == before


def test_a_missing_file_is_named_with_its_neighbors(write_study, tmp_path, capsys):
    write_study(name="here.toml")
    with pytest.raises(SystemExit) as stop:
        main(["run", str(tmp_path / "there.toml")])
    said = capsys.readouterr().err
    assert stop.value.code == 2
    assert "there.toml: Expected a study file. Got no such file. There is here.toml." in said


def test_all_mistakes_are_told_at_once(write_study, capsys):
    study = write_study(
        head=HEAD.replace("epochs = 1", "epochs = -1").replace("digits", "digitz"),
        device=DEVICE + "read_noise = -1\nmismach = 2\n",
        rule=RULE + 'through = "x"\n[[rule]]\nname = "bakprop"\n',
        sweep='[sweep]\n"device.adc_bits" = []\n"rule.batch" = [0]\n',
    )
    with pytest.raises(SystemExit):
        main(["run", str(study)])
    said = capsys.readouterr().err
    for path in (
        "epochs", "dataset", "device.read_noise", "device.mismach", "rule.0.through", "rule.1.name",
        "sweep.device.adc_bits", "sweep.rule.batch",
    ):  # fmt: skip
        assert f"  {path}: Expected" in said, path
    assert "8 mistakes, so nothing was run." in said


def test_every_layer_that_a_device_does_not_fit_is_told(write_study, capsys):
    patches = '[[device]]\nmodel = "local-fields(ideal)"\nfield = 2\n'
    study = write_study(
        head=HEAD.replace("[8]", "[45, 8]"),
        device=f"{patches}channels = 3\n{patches}channels = 4\n",
        sweep='[sweep]\n"device.1.channels" = [4, 5]\n',
    )
    with pytest.raises(SystemExit):
        main(["run", str(study)])
    said = capsys.readouterr().err
    assert "  device.0: Expected channels that make a square image of the 64 lines of this layer. Got 3" in said
    assert "  device.1: Expected channels that make a square image of the 45 lines" in said
    assert "(where device.1.channels = 4)" in said and "2 mistakes" in said  # 5 channels make 3 x 3 points


def test_a_default_that_goes_by_a_wrong_value_is_no_mistake(write_study, capsys):
    """The default scale depends on the goodness, so pydantic cannot tell it while anything before it is wrong."""
    with pytest.raises(SystemExit):
        main(["run", str(write_study(rule='[[rule]]\nname = "forward-forward"\ndecay_from = 1.5\n'))])
    told = "rule.0.decay_from: Expected a number less than or equal to 1. Got 1.5."
    assert capsys.readouterr().err.rstrip().endswith(f"1 mistake, so nothing was run.\n  {told}")


@pytest.mark.parametrize(
    ("setting", "path", "got", "near"),
    [
        ("device.read_nose=0.1", "device.read_nose:", '"read_nose"', "read_noise"),
        ("epoch=3", "epoch:", '"epoch"', "epochs"),
        ("epochs=three", "epochs:", '"three"', None),
        ("rule.throug=oracle", "rule.throug:", '"throug"', "through"),
        ("rule.0.through=oracl", "rule.0.through:", '"oracl"', "oracle"),
        ("epochs", "--set:", '"epochs"', None),
        ("wait_seconds=nan", "wait_seconds:", "nan", None),
    ],
)
def test_a_setting_is_reported_like_the_file(setting, path, got, near, write_study, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", str(write_study()), "--out", str(tmp_path / "out"), "--set", setting])
    said = capsys.readouterr().err
    assert stop.value.code == 2
    assert f"  {path} Expected" in said and f"Got {got}" in said
    assert near is None or f"Did you mean {near}?" in said


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (HEAD.replace("[8]", "8"), "layers: Expected a list of layers. Got 8. Write layers = [64, 64], for example."),
        (HEAD.replace('"digits"', "digits"), 'Got invalid value (at line 3, column 11). Write texts in quotes: dataset = "digits".'),
        (HEAD.replace("epochs = 1", "epochs = "), "Expected valid TOML. Got invalid value (at line 5, column 10). Mend that line."),
        (HEAD.replace('"digits"', '"DIGITS"'), "Did you mean digits?"),
        (HEAD.replace('"digits"', '"./nowhere"'), "Got './nowhere', which is no name and not in"),
        (HEAD + "[budget]\njoules = 1\n", "Did you mean system_joules?"),
        (HEAD + 'compute = "gpu"\n', "Did you mean cuda?"),
        (HEAD.replace("[8]", "[{dense = 8, kernel = 3}]"), 'Got "kernel". Remove it.'),
    ],
)  # fmt: skip
def test_a_mistake_that_many_make_is_told_with_the_way_out(head, said, write_study):
    with pytest.raises(StudyError) as found:
        read_study(write_study(head=head))
    assert said in str(found.value)


def test_a_folder_in_place_of_the_study_is_told(tmp_path):
    with pytest.raises(StudyError, match=r"Expected a file that can be read. Got a folder. Give the path of a TOML"):
        read_study(tmp_path)


def test_settings_overrule_the_file(write_study):
    settings = ["device.mismatch=0.3", "rule.0.through=oracle", "layers=[4, 5]", "name=other", "sweep.epochs=[1, 2]"]
    study = read_study(write_study(), settings)
    case = study.cases[-1]
    assert (study.name, case.settings.layers, case.settings.epochs) == ("other", (4, 5), 2)
    assert (case.devices[0].parameters["mismatch"], case.rule.options["through"]) == (0.3, "oracle")


TWO = DEVICE.replace("[device]", "[[device]]")
SWEPT_OVER = [
    # what is swept, what is set, the axis that it is told to be set by; None where something of it is left
    ('"device.read_noise" = [0.0, 0.1]', "device.read_noise=0.2", "device.read_noise"),
    ('"device.read_noise" = [0.0, 0.1]', "device.read_noise=0.0", "device.read_noise"),
    ('"device.read_noise" = [0.0, 0.1]', "device.0.read_noise=0.2", "device.read_noise"),
    ('"device.1.read_noise" = [0.0, 0.1]', "device.read_noise=0.2", None),
    ('"device.1.read_noise" = [0.0]\n"device.0.read_noise" = [0.1]', "device.read_noise=0.2", "device.0.read_noise"),
    ('device = [{ model = "unknown" }]', "device.0.adc_bits=4", "device"),
    ("device.read_noise = [0.0, 0.1]", "device.adc_bits=4", None),
    ('"rule.learning_rate" = [0.1]', "rule.0.learning_rate=0.2", "rule.learning_rate"),
    ('"rule.0.learning_rate" = [0.1]', "rule.learning_rate=0.2", None),
    ("epochs = [1, 2]", "epochs=1", "epochs"),
]


@pytest.mark.parametrize(("sweep", "setting", "axis"), SWEPT_OVER)
def test_a_setting_that_a_sweep_would_undo_is_refused(sweep, setting, axis, write_study):
    head = HEAD.replace("[8]", "[8, 8]")
    rules = RULE + '[[rule]]\nname = "forward-forward"\n'
    study = write_study(head=head, device=TWO + TWO, rule=rules, sweep=f"[sweep]\n{sweep}\n")
    if axis is None:
        read_study(study, [setting])
        return
    with pytest.raises(StudyError) as found:
        read_study(study, [setting])
    (mistake,) = found.value.mistakes
    path, _, value = setting.partition("=")
    assert (mistake.path, mistake.got) == (path, f"one that sweep.{axis} sets at every point")
    assert (f"--set 'sweep.{path}=[{value}]'" in mistake.advice) == (path == axis)
    if path == axis:
        assert read_study(study, [f"sweep.{path}=[{value}]"]).axes[path] == [float(value)]


def test_a_path_that_is_set_twice_is_refused_wherever(write_study, capsys):
    with pytest.raises(StudyError, match=r"epochs: Expected one --set. Got 1 and 2. Remove one."):
        read_study(write_study(), ["epochs=1", "epochs=2"])
    both = '[sweep]\n"device.read_noise" = [0.0]\ndevice.read_noise = [0.1]\n'
    with pytest.raises(StudyError, match=r"sweep.device.read_noise: Expected one list of values. Got two"):
        read_study(write_study(sweep=both))
    with pytest.raises(SystemExit):
        main(["check", "ideal", "--set", "neuron=relu", "--set", "neuron=tanh"])
    assert "neuron: Expected one --set." in capsys.readouterr().err


@pytest.mark.parametrize(
    "model, alone, value, beside, said",
    [
        ("unknown", "trap_reads", "16", "telegraph_noise", "telegraph_noise"),
        ("unknown", "adc_kind", '"ramp"', "adc_inl_lsb", "adc_inl_lsb"),
        ("faulty(unknown)", "at_write", "3", "dead_columns", "dead_columns or warming_kelvin or supply_sag or swapped"),
        ("faulty(unknown)", "activation_electronvolts", "0.2", "warming_kelvin", "warming_kelvin"),
    ],
)
def test_a_study_refuses_it_and_may_sweep_from_none(write_study, model, alone, value, beside, said):
    device = f'[device]\nmodel = "{model}"\n{alone} = {value}\n'
    with pytest.raises(StudyError) as refused:
        read_study(write_study(device=device))
    assert str(refused.value) == (
        f"device.{alone}: Expected {said} beside it, without which it does nothing. Got {value} alone. Add {said}, or "
        "leave it out."
    )
    assert len(read_study(write_study(device=device, sweep=f'[sweep]\n"device.{beside}" = [0, 0.1]\n')).cases) == 2
