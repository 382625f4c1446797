"""What comes from outside ends in a sentence and a status: disks, terminals, signals, damaged files."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest
from filelock import FileLock

from analogff.cli import boundary
from analogff.cli.interrupts import STOPPED
from analogff.study.run import engine
from tests.cli.test_cli import STUDY, call

SYSTEM = [
    (errno.ENOSPC, "Expected room on the disk. Got no space left on device. Free some", 1),
    (errno.EDQUOT, "Expected room on the disk.", 1),
    (errno.EROFS, "Expected a place that can be read and written. Got read-only file system.", 2),
    (errno.EACCES, "Expected a place that can be read and written. Got permission denied.", 2),
    (errno.ENOTDIR, "Expected a folder. Got not a directory. Move the file", 2),
    (errno.EEXIST, "Expected a folder. Got file exists. Move the file", 2),
    (errno.EISDIR, "Expected a file. Got is a directory. Move the folder", 2),
    (errno.ENAMETOOLONG, "Got file name too long. Use a shorter name", 2),
    (errno.EMFILE, "Expected fewer open files.", 1),
    (errno.EIO, "Expected the system to grant the request. Got input/output error.", 1),
]


def guarded(error: BaseException, capsys) -> tuple[int, str]:
    def fail() -> int:
        raise error

    status = boundary.guard(fail)
    return status, capsys.readouterr().err


@pytest.mark.parametrize(("number", "sentence", "status"), SYSTEM, ids=lambda v: errno.errorcode.get(v, ""))
def test_what_the_system_refuses_is_a_sentence_with_the_way_out(number, sentence, status, capsys):
    got, said = guarded(OSError(number, os.strerror(number), "/data/.manifest.json-4711.tmp"), capsys)
    assert got == status and said.startswith("/data/manifest.json: ") and sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [
        EOFError("compressed file ended"),
        zipfile.BadZipFile("bad magic number"),
        json.JSONDecodeError("expecting value", "", 0),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_damaged_file_is_a_sentence(error, capsys):
    status, said = guarded(error, capsys)
    assert status == 1 and "Expected files that are whole. Got " in said and "Traceback" not in said


def test_too_little_memory_is_a_sentence_and_a_mistake_of_ours_is_none(capsys):
    assert guarded(MemoryError(), capsys)[0] == 1
    assert guarded(KeyboardInterrupt(), capsys) == (130, STOPPED + "\n")
    with pytest.raises(ZeroDivisionError):
        guarded(ZeroDivisionError(), capsys)


def test_handlers_of_signals_are_those_from_before_afterwards():
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    assert boundary.guard(lambda: os.kill(os.getpid(), signal.SIGTERM) or time.sleep(5) or 0) == 130
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.fixture
def study(tmp_path, monkeypatch, blank_figures):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace('"relu", "linear"', '"relu"'))
    return path


@pytest.mark.parametrize("out", ["taken", "taken/below"])
def test_a_file_in_the_place_of_the_results_is_told_before_anything_runs(study, tmp_path, out, capsys, monkeypatch):
    (tmp_path / "taken").write_text("mine")
    monkeypatch.setattr(engine, "connect", None)
    assert call("run", study, "--out", out, "--workers", 0) == 2
    assert "--out: Expected a folder that can be written. Got " in capsys.readouterr().err
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_lock_that_is_a_folder_and_a_name_that_no_disk_holds_are_sentences(study, tmp_path, capsys):
    (tmp_path / "out" / "lock").mkdir(parents=True)
    assert call("run", study, "--out", "out", "--workers", 0) == 2
    assert call("run", study, "--out", "o" * 300, "--workers", 0) == 2
    locked, long = capsys.readouterr().err.splitlines()
    assert "out/lock: Expected a file. Got is a directory. Move the folder" in locked
    assert "Got file name too long. Use a shorter name" in long


@pytest.mark.slow
def test_a_study_has_a_name_as_long_as_it_likes_and_a_mark_of_its_encoding(study, tmp_path, capsys):
    study.write_text(STUDY.replace("A tiny study!", "n" * 300), encoding="utf-8-sig")
    assert call("run", study, "--workers", 0) == 0
    (folder,) = (tmp_path / "results").iterdir()
    assert len(folder.name) <= 100 and list((folder / "results").iterdir())


@pytest.mark.slow
def test_a_disk_that_fills_up_loses_no_finished_task(study, tmp_path, capsys, monkeypatch):
    from analogff.study.results.store import Store

    write, written = Store.write, []

    def fill_up(self, outcome):
        if written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder / "results" / "part"))
        written.append(write(self, outcome))

    study.write_text(STUDY)
    monkeypatch.setattr(Store, "write", fill_up)
    assert call("run", study, "--out", "out", "--workers", 0, "--memory", "1e-6") == 1
    assert "Expected room on the disk." in capsys.readouterr().err
    assert len(list((tmp_path / "out" / "results").glob("part-*.parquet"))) == 1
    monkeypatch.undo()
    assert call("run", study, "--out", tmp_path / "out", "--workers", 0) == 0
    assert "1 runs are there already, 3 are left." in capsys.readouterr().out


@pytest.mark.slow
def test_figures_that_cannot_be_written_and_an_interrupt_in_their_midst_are_sentences(study, capsys, monkeypatch):
    assert call("run", study, "--out", "out", "--workers", 0) == 0
    for error, status, sentence in [
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "out/figures/x.pdf"), 2, "Got read-only file system."),
        (KeyboardInterrupt(), 130, STOPPED),
    ]:

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr("analogff.figures.drawing.Drawing.save", fail)
        assert call("plot", "out") == status
        assert sentence in capsys.readouterr().err


def test_two_drivers_are_told_apart_from_other_trouble(study, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / "lock"):
        assert call("run", study, "--out", "out", "--workers", 0) == 2
    assert "another run is at work in" in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["a pipe", "a full disk"])
def test_a_reader_that_leaves_ends_a_command_quietly(closed):
    """As ``analogff rules | head -1`` does, and ``analogff rules > /dev/full``."""
    code = (
        "import sys\nfrom analogff.cli import boundary\nfrom analogff.support.console import PlainConsole, say\n"
        "def act():\n    for n in range(20000):\n        say(PlainConsole(), f'line {n}')\n    return 0\n"
        "sys.exit(boundary.guard(act))"
    )
    with open("/dev/full", "w") as full:
        to = subprocess.PIPE if closed == "a pipe" else full
        process = subprocess.Popen([sys.executable, "-c", code], stdout=to, stderr=subprocess.PIPE, text=True)
        if process.stdout:
            assert process.stdout.readline() == "line 0\n"
            process.stdout.close()
            process.stdout = None
        said = process.communicate(timeout=60)[1]
    if closed == "a pipe":
        assert (process.returncode, said) == (141, "")
    else:
        assert process.returncode == 1 and said.startswith("Expected room on the disk.") and said.count("\n") == 1


def test_a_signal_in_the_midst_of_an_import_ends_at_once_in_a_sentence(tmp_path):
    """Libraries take an interrupt in their import for a broken installation, or swallow it."""
    (tmp_path / "slow.py").write_text(
        "import os, signal\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\n    [None for _ in range(10**6)]\n"
        "except BaseException as error:\n    raise ImportError('broken') from error\n"
    )
    code = "from analogff.cli import boundary\ndef act():\n    import slow\nboundary.guard(act)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_beside(tmp_path))
    assert (done.returncode, done.stderr) == (130, STOPPED + "\n")


@pytest.mark.parametrize("entry", [["-m", "analogff"], ["-c", "from analogff.cli import main; main()"]])
@pytest.mark.parametrize("first", ["difflib", "tyro"])
def test_a_signal_while_the_command_line_itself_is_imported_gives_no_traceback(first, entry, tmp_path):
    """`boundary` imports the one and `commands` the other: the handler is there before both."""
    (tmp_path / f"{first}.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = subprocess.run(
        [sys.executable, *entry, "devices"],
        capture_output=True,
        text=True,
        env=_beside(tmp_path),
        # A shell lets its background jobs ignore Ctrl-C, and they pass it on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # type: ignore[arg-type]
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", STOPPED + "\n")


def test_little_is_imported_before_signals_are_handled():
    code = "import sys; import analogff.cli; print(sorted(m for m in sys.modules if m.startswith('analogff')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['analogff', 'analogff.cli', 'analogff.cli.interrupts']\n"


def _beside(folder):
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}


def test_markup_of_a_terminal_library_is_no_markup_here():
    from rich.table import Column

    from analogff.support.console import PlainConsole, say, table_of

    console = PlainConsole(file=io.StringIO(), width=80)
    text = "a [/on] b [ours] :smile: $x$ [link=file]"
    say(console, text)
    console.print(text)
    console.print(table_of([Column("[x]")], [[text]], title="[/t]"))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert said.count(text) == 3 and "[x]" in said and "[/t]" in said
