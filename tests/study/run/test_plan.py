"""Which runs there are, what they are called, and how they are packed."""

import itertools

import pytest

from analogff.study.read import validation
from analogff.study.read.spec import read_study
from analogff.study.run.packing import CACHED_BYTES, chips_in, gib_of_a_chip, pack
from analogff.study.run.plan import plan_runs
from analogff.study.task import bank_parameters
from analogff.support.mistakes import StudyError
from tests.helpers.broken import FILES, MINE
from tests.study.conftest import DEVICE, HEAD, RULE

FF = '[[rule]]\nname = "forward-forward"\n'
NOISE = '"device.read_noise" = [0.0, 0.05, 0.1]\n'


def tasks_of(study, *, workers=1, memory_gib=1.0):
    return packing_of(study, workers=workers, memory_gib=memory_gib).tasks


def packing_of(study, *, workers=1, memory_gib=1.0):
    runs = plan_runs(study)
    return pack(runs, study.shapes, workers=workers, memory_gib=memory_gib, folder=str(study.folder))


def test_every_combination_is_a_run(write_study):
    path = write_study(more="seeds = [3, 5]\n", rule=RULE + FF, sweep=f"[sweep]\nepochs = [1, 2]\n{NOISE}")
    runs = plan_runs(read_study(path))
    found = {
        (r.case.rule.name, r.case.settings.epochs, r.case.devices[0].parameters["read_noise"], r.seed, r.chip)
        for r in runs
    }
    wanted = itertools.product(("backprop", "forward-forward"), (1, 2), (0.0, 0.05, 0.1), (3, 5), (0, 1))
    assert found == set(wanted) and len(runs) == len(found)


def test_a_rule_without_the_swept_option_is_run_once(write_study):
    path = write_study(rule=RULE + FF, sweep='[sweep]\n"rule.slope" = ["probed", "assumed"]\n')
    cases = read_study(path).cases
    told = [(case.rule.name, case.rule.options.get("slope"), case.values["rule.slope"]) for case in cases]
    assert told == [
        ("backprop", None, None),
        ("forward-forward", "probed", "probed"),
        ("forward-forward", "assumed", "assumed"),
    ]


def test_an_indexed_path_reaches_one_table(write_study):
    devices = DEVICE.replace("[device]", "[[device]]") * 2
    head = HEAD.replace("[8]", "[8, 9]")
    sweep = '[sweep]\n"device.1.read_noise" = [0.3]\n"device.mismatch" = [0.4]\n"rule.1.learning_rate" = [0.5]\n'
    backprop, perturbation = read_study(
        write_study(head=head, device=devices, rule=RULE + '[[rule]]\nname = "weight-perturbation"\n', sweep=sweep)
    ).cases
    first, second = backprop.devices
    assert (first.parameters["mismatch"], second.parameters["mismatch"]) == (0.4, 0.4)
    assert first.parameters["read_noise"] != 0.3 and second.parameters["read_noise"] == 0.3
    assert backprop.rule.options["learning_rate"] != 0.5 and perturbation.rule.options["learning_rate"] == 0.5


@pytest.mark.parametrize("layers, head, expected", [("[8, 9]", "digital", 2), ("[8, 9]", "device", 3)])
def test_one_device_serves_every_layer(layers, head, expected, write_study):
    study = read_study(write_study(), [f"layers={layers}", f"head={head}"])
    assert len(study.cases[0].devices) == expected


def test_a_key_is_of_what_decides_the_numbers_alone(write_study):
    path = write_study()
    key = plan_runs(read_study(path))[0].key
    keys = lambda *settings: {run.key for run in plan_runs(read_study(path, settings))}  # noqa: E731
    assert key in keys("name=other", "chips=[5, 0]", "seeds=[9, 0]")
    assert key in keys("sweep.device.mismatch=[0.5, 0.2]", "device.adc_bits=6")  # 0.2 and 6 are its defaults
    for setting in (
        "epochs=2",
        "layers=[9]",
        "device.mismatch=0.21",
        "rule.learning_rate=0.1",
        "wait_seconds=1",
        "chips=[1]",
    ):
        assert key not in keys(setting), setting


def test_a_sweep_of_device_numbers_is_one_bank(write_study):
    study = read_study(write_study(sweep=f'[sweep]\n{NOISE}"device.mismatch" = [0.1, 0.2]\n'), ["chips=4"])
    tasks = tasks_of(study)
    assert [len(task.runs) for task in tasks] == [12, 12]  # two banks a worker, and no more
    parameters = bank_parameters([run.case.devices[0] for run in tasks[0].runs])
    assert parameters["read_noise"].shape == (12,) and len(set(parameters["read_noise"].tolist())) > 1


def test_runs_that_differ_in_more_share_no_bank(write_study):
    sweep = '[sweep]\n"device.family" = ["relu", "sigmoid"]\nepochs = [1, 2]\n'
    for task in tasks_of(read_study(write_study(sweep=sweep, rule=RULE + FF, more="seeds = [0, 1]\n"))):
        shared = {
            (r.case.rule.name, r.seed, r.case.settings.epochs, r.case.devices[0].parameters["family"])
            for r in task.runs
        }
        assert len(shared) == 1


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_packing_keeps_all_workers_busy_longest_first(workers, write_study):
    study = read_study(write_study(sweep=f"[sweep]\n{NOISE}epochs = [1, 5]\n"), ["chips=12"])
    tasks = tasks_of(study, workers=workers)
    assert len(tasks) >= 2 * workers
    assert sorted(r.key for t in tasks for r in t.runs) == sorted(r.key for r in plan_runs(study))
    efforts = [len(task.runs) * task.runs[0].case.settings.epochs for task in tasks]
    assert efforts == sorted(efforts, reverse=True)
    assert max(efforts) <= 1.5 * sum(efforts) / (2 * workers)


def test_memory_bounds_a_bank(write_study):
    study = read_study(write_study(), ["chips=64", "layers=[500, 500]"])
    case, weights = study.cases[0], 64 * 500 + 500 * 500 + 500 * 10
    for memory_gib in (0.05, 0.5):
        most = chips_in(memory_gib, case, study.shapes)
        assert max(len(task.runs) for task in tasks_of(study, memory_gib=memory_gib)) <= most
        assert most * weights * 4 * 8 <= memory_gib * 2**30
    assert chips_in(1e-9, case, study.shapes) == 1


def test_a_chip_that_is_larger_than_the_memory_is_announced(write_study):
    study = read_study(write_study(), ["chips=2", "layers=[500, 500]"])
    size = gib_of_a_chip(study.cases[0], study.shapes)
    told = packing_of(study, memory_gib=size / 2).explain()[-1]
    assert told.startswith(f"One chip takes about {size:.3g} GiB, more than the {size / 2:g} GiB of --memory")
    assert not any("One chip" in line for line in packing_of(study, memory_gib=size * 2).explain())


def test_a_batch_beyond_the_images_takes_no_memory(write_study):
    studies = [read_study(write_study(), [f"rule.batch={n}", "layers=[50]"]) for n in (1387, 10**12)]
    assert {len(study.shapes) for study in studies} == {1}
    all_images, beyond = (gib_of_a_chip(study.cases[0], study.shapes) for study in studies)
    assert beyond < 10 * all_images  # 10^12 of them would be thousands of times as much


@pytest.mark.slow
def test_the_devices_of_a_sweep_are_tried_together(write_study, monkeypatch):
    """One by one, a hundred thousand of them take twenty minutes."""
    made = []
    fabricate = validation.fabricate
    monkeypatch.setattr(
        validation, "fabricate", lambda *a, seeds, **k: made.append(len(seeds)) or fabricate(*a, seeds=seeds, **k)
    )
    values = [n / 1000 for n in range(300)]
    study = read_study(write_study(), [f"sweep.device.read_noise={values}"])
    assert sum(made) < 1.1 * 300 and len(made) < 5
    assert [case.devices[0].parameters["read_noise"] for case in study.cases] == values
    assert len({case.devices[0].copies for case in study.cases}) == 1


def test_one_bad_point_among_many_is_the_one_that_is_named(write_study):
    with pytest.raises(StudyError) as refused:
        read_study(
            write_study(device=MINE, rule=FF + 'slope = "assumed"\n', files=FILES),
            [f"sweep.device.gain={[n / 10 for n in range(52)]}"],
        )
    assert (
        len(refused.value.mistakes) == 1
        and "the fuse blew" in str(refused.value)
        and "(where device.gain = 5.1)" in str(refused.value)
    )


def test_a_device_that_keeps_more_for_a_weight_fits_less_often(write_study):
    models = {name: f'[device]\nmodel = "{name}"\n' for name in ("ideal", "pcm")}
    studies = {name: read_study(write_study(device=text), ["layers=[2000, 2000]"]) for name, text in models.items()}
    copies = {name: study.cases[0].devices[0].copies for name, study in studies.items()}
    assert copies["ideal"] == 1 and copies["pcm"] > 12
    fitting = {name: chips_in(1.0, study.cases[0], study.shapes) for name, study in studies.items()}
    assert fitting["ideal"] > 1.5 * fitting["pcm"]


@pytest.mark.parametrize(
    "settings, memory_gib, told",
    [
        (["chips=3"], 1.0, "3 runs in 2 tasks: 1 bank of chips"),
        (["chips=64"], 1.0, "1 bank cut into tasks of at most 32 chips: 2 tasks for each of 1 worker."),
        (["chips=64", "layers=[500, 500]"], 0.1, "chips: no more fit in 0.1 GiB (--memory)."),
        (["chips=64", "layers=[1000, 1000]"], 9.0, "chips: larger banks leave the processor's caches."),
    ],
)
def test_the_plan_says_how_it_packed_and_why(settings, memory_gib, told, write_study):
    lines = packing_of(read_study(write_study(), settings), memory_gib=memory_gib).explain()
    assert any(told in line for line in lines), lines


def test_a_bank_on_a_cpu_stays_in_its_caches(write_study):
    study = read_study(write_study(), ["chips=64", "layers=[1000, 1000]"])
    weights = 64 * 1000 + 1000 * 1000 + 1000 * 10
    assert all(len(task.runs) * weights * 4 <= CACHED_BYTES for task in tasks_of(study, memory_gib=9.0))


def test_chips_that_decide_how_often_they_are_read_share_no_bank(write_study):
    rule = '[[rule]]\nname = "forward-forward"\nslope = "fitted"\n'
    study = read_study(write_study(rule=rule), ["chips=6"])
    packing = pack(plan_runs(study), study.shapes, workers=1, memory_gib=1, folder="")
    assert [len(task.runs) for task in packing.tasks] == [1] * 6
    assert "decides for each chip how often it is read" in " ".join(packing.explain())
