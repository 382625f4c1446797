"""The command line: statuses, and what each command says."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analogff import __version__, catalog
from analogff.cli import commands, main
from analogff.cli.arguments import Command
from analogff.study.run import engine

STUDY = """
name = "A tiny study!"
dataset = "digits"
layers = [8]
epochs = 1
chips = 2
train_images = 100
validation_images = 50
[device]
model = "ideal"
[[rule]]
name = "backprop"
[sweep]
"device.neuron" = ["relu", "linear"]
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def call(*arguments) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    return stop.value.code  # type: ignore[return-value]


def test_help_is_quick_since_it_imports_nothing_slow():
    code = (
        "import sys\nfrom analogff.cli import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'torch', 'numba', 'pandas', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_every_command_is_in_the_one_list_and_is_a_file_of_its_own():
    files = {path.stem for path in Path(commands.__file__).parent.glob("*.py") if "(Command)" in path.read_text()}
    assert {*commands.COMMANDS} == files
    assert all(issubclass(commands.command_class(name), Command) for name in commands.COMMANDS)


def test_a_new_command_is_one_file_and_one_line(tmp_path, monkeypatch, capsys):
    import analogff.cli

    (tmp_path / "greet.py").write_text(
        "import dataclasses\nfrom analogff.cli.arguments import Command\n@dataclasses.dataclass(frozen=True)\n"
        "class Greet(Command):\n    name: str = 'chip'\n"
        "    def perform(self, console):\n        print('Hello', self.name)\n        return 0\n"
    )
    monkeypatch.setattr(analogff.cli, "__path__", [*analogff.cli.__path__, str(tmp_path)])
    monkeypatch.setattr(commands, "COMMANDS", (*commands.COMMANDS, "greet"))
    try:
        assert call("greet", "--name", "reader") == 0
        assert capsys.readouterr().out == "Hello reader\n"
    finally:
        sys.modules.pop("analogff.cli.greet", None)


def test_the_version_is_told(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"analogff {__version__}\n"


def test_run_tells_a_table_and_draws(study, tmp_path, monkeypatch, capsys, request):
    monkeypatch.chdir(tmp_path)
    assert call("run", study, "--workers", 0) == 0
    said = capsys.readouterr().out
    out = tmp_path / "results" / "a-tiny-study"
    assert "4/4 runs" in said and "backprop" in said and "linear" in said and "Results in results/a-tiny-study" in said
    assert (out / "manifest.json").exists() and list((out / "figures").glob("*.pdf"))
    request.getfixturevalue("blank_figures")  # once is enough
    assert call("run", study, "--workers", 0) == 0
    assert "All 4 runs are there already." in capsys.readouterr().out
    assert call("plot", out) == 0
    assert call("run", study, "--workers", 0, "--set", "epochs=2") == 2
    assert "Use another --out" in capsys.readouterr().err


def test_a_failure_is_status_1_with_the_run_named(study, tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "from analogff import Device\nclass Mine(Device):\n    def measure(self, x):\n        "
        "if len(x) > 50:\n            raise RuntimeError('too hot')\n        return x\n"
    )
    study.write_text(
        STUDY.split("[device]")[0] + '[device]\nmodel = "mine.py:Mine"\n[[rule]]\nname = "weight-perturbation"\n'
    )
    assert call("run", study, "--out", tmp_path / "out", "--workers", 0) == 1
    said = capsys.readouterr()
    assert "weight-perturbation, chip 0, seed 0" in said.err and "RuntimeError: too hot (mine.py, line 5)" in said.err
    assert "Traceback" not in said.err + said.out
    assert not list((tmp_path / "out" / "results").iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "-1"], "--workers: Expected 0 or more. Got -1."),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:9"], "--workers: Expected none beside --scheduler"),
        (["--workers", "-1", "--memory", "0"], "Got -1. 0 works inside this process.\n--memory: Expected a positive"),
        (["--memory", "0"], "--memory: Expected a positive number of GiB. Got 0."),
        (["--scheduler", "tcp://127.0.0.1:9"], "Expected a Dask scheduler at tcp://127.0.0.1:9."),
        (["--scheduler", "nonsense://x"], "Expected a Dask scheduler at nonsense://x."),
        (["--set", 'compute="cuda"'], "compute: Expected a CUDA device on this machine. Got none."),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments, message, study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("analogff.study.run.cluster.CONNECT_SECONDS", 1.0)
    assert call("run", study, "--out", tmp_path / "out", *arguments) == 2
    said = capsys.readouterr()
    assert message in said.err and "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


def test_an_interrupt_says_how_to_go_on(study, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "_work", interrupt)
    assert call("run", study, "--out", tmp_path / "out", "--workers", 0) == 130
    assert "give the same command again to go on" in capsys.readouterr().err


@pytest.mark.slow
def test_control_c_leaves_finished_tasks_and_no_traceback(study, tmp_path):
    command = [sys.executable, "-m", "analogff", "run", str(study), "--out", str(tmp_path / "out"), "--workers", "2"]
    settings = ["--set", "chips=12", "--set", "epochs=100", "--memory", "1e-6"]
    driver = subprocess.Popen(
        command + settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell lets its background jobs ignore Ctrl-C, and they pass it on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # type: ignore[arg-type]
    )
    while driver.poll() is None and not list((tmp_path / "out").glob("results/*.parquet")):
        time.sleep(0.01)
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does, to the workers too
    said = driver.communicate(timeout=60)[0]
    assert driver.returncode == 130 and "Interrupted." in said and "Traceback" not in said
    assert list((tmp_path / "out" / "results").glob("part-*.parquet"))


def test_plot_and_check_refuse_what_is_not_there(tmp_path, capsys):
    assert call("plot", tmp_path) == 2
    assert call("check", "idael") == 2
    assert call("check", "ideal", "--set", "neuro=relu") == 2
    said = capsys.readouterr().err
    assert "holds none" in said and "Did you mean ideal?" in said and "Did you mean neuron?" in said


@pytest.mark.slow
def test_plot_loads_the_results_once(study, tmp_path, monkeypatch, blank_figures):
    from analogff.study.results import store

    assert call("run", study, "--out", tmp_path / "out", "--workers", 0) == 0
    load, loaded = store.load_results, []
    for place in ("analogff.study.results.store", "analogff.figures.draw"):
        monkeypatch.setattr(f"{place}.load_results", lambda folder: loaded.append(folder) or load(folder))
    assert call("plot", tmp_path / "out") == 0 and loaded == [tmp_path / "out"]
    (tmp_path / "out" / "manifest.json").unlink()
    assert call("plot", tmp_path / "out") == 2


def test_check_tells_what_a_study_would_run(tmp_path, monkeypatch, capsys):
    study = tmp_path / "mine.toml"
    rules = '[[rule]]\nname = "backprop"\n[[rule]]\nname = "asge"\n'
    swept = '[sweep]\n"device.read_noise" = [0.0, 0.1, 0.2]\n[tune]\ntrials = 2\n'
    study.write_text(f'name = "mine"\ndataset = "digits"\nlayers = [8]\nepochs = 1\nchips = 2\n{rules}{swept}')
    assert call("check", str(study), "--set", 'device.model="unknown"', "--set", "validation_images=50") == 0
    said = capsys.readouterr().out
    assert "mine has 12 runs: 2 rules, 3 values of device.read_noise, 2 chips, 1 learning seed." in said
    assert "4 trials of 2 rules" in said and not list(tmp_path.glob("results*"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert call("check", str(study), "--set", 'device.model="unknown"', "--set", 'compute="cuda"') == 0
    assert "compute: Expected a CUDA device on this machine. Got none." in capsys.readouterr().out
    assert call("check", str(study), "--set", "epochs=0") == 2
    assert "epochs: Expected a number greater than or equal to 1. Got 0." in capsys.readouterr().err


def test_check_speaks_in_sentences(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from analogff import Device\nclass Mine(Device):\n    def measure(self, x):\n        return x.double()\n"
        "class Good(Device):\n    def measure(self, x, bias=None):\n        return (x if bias is None else x + bias).tanh()\n"
    )
    assert call("check", "mine.py:Good") == 0
    assert call("check", "mine.py:Mine") == 1
    assert "Traceback" not in capsys.readouterr().out


def test_devices_and_rules_are_listed(capsys):
    assert call("devices") == 0 and call("rules") == 0
    said = capsys.readouterr().out
    assert "unknown: " in said and "forward-forward: " in said and "broken" not in said


def test_a_rule_tells_its_options(capsys):
    assert call("rules", "backprop") == 0
    said = capsys.readouterr().out
    assert (
        "update_decay" in said
        and "one of twin, fitted, probed, deployed, oracle" in said
        and "at least 0, at most 1" in said
    )
    assert "Wright et al., Nature 601" in said
    assert call("rules", "bakprop") == 2
    assert "Did you mean backprop?" in capsys.readouterr().err


def test_a_broken_plug_in_is_listed_with_the_reason(monkeypatch, capsys):
    from analogff.catalog import names
    from tests.catalog.test_catalog import Point

    broken = Point("theirs", "no.such.module:Chip", catalog.DEVICES, "their-chips")
    monkeypatch.setattr(names, "entry_points", lambda group: [broken])
    fresh = names.registered.__wrapped__  # not remembered
    for module in (names, catalog):
        monkeypatch.setattr(module, "registered", fresh)
    assert call("devices") == 0
    assert "theirs [their-chips]: broken: " in capsys.readouterr().out
