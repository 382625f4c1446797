"""Nobody is waited for without a word, and nobody pays for the death of a worker but who caused it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from distributed import Client, KilledWorker
from rich.console import Console

from analogff.study.read.spec import read_study
from analogff.study.results.store import load_results
from analogff.study.run import cluster, stall, watch
from analogff.study.run.cluster import ClusterError, connect
from analogff.study.run.dispatch import ROUNDS, Dispatch
from analogff.study.run.engine import describe_failure, run_study
from analogff.study.run.execute import Outcome
from analogff.study.run.plan import plan_runs
from analogff.study.task import Task
from tests.study.conftest import HEAD

FF = '[[rule]]\nname = "forward-forward"\nslope = "assumed"\nbatch = 20\n'
CHIP = """
import os, signal, sys, time
from analogff import Device

class Chip(Device):
    def __init__(self, n_in, n_out, *, seed, how: str = ""):
        super().__init__(n_in, n_out)
        self.how = how
    def measure(self, x):
        if len(x) > 5:
            if self.how == "exit": sys.exit(0)
            if self.how == "interrupt": raise KeyboardInterrupt
            if self.how == "base": raise BaseException("own")
            if self.how == "os._exit": os._exit(0)
            if self.how == "kill": os.kill(os.getpid(), signal.SIGKILL)
        return x.relu()
"""
MINE = '[device]\nmodel = "mine.py:Chip"\n'


def sweep(*how):
    return f'[sweep]\n"device.how" = {["", *how]}\n'.replace("'", '"')


@pytest.fixture
def write(write_study):
    def make(*how):
        head = HEAD.replace("chips = 2", "chips = 1")
        return write_study(head=head, device=MINE, rule=FF, sweep=sweep(*how), files={"mine.py": CHIP})

    return make


class Workers:
    """A client of two workers that do tasks in order, and all die of some of them, with all that they have to do."""

    status = "running"
    scheduler = SimpleNamespace(address="tcp://somewhere", identity=None)

    def __init__(self, deadly):
        self.deadly, self.to_do, self.tried = deadly, [], []

    def nthreads(self):
        return {"a": 1, "b": 1}

    def submit(self, _, task, pure):
        future = SimpleNamespace(key=f"{task} {len(self.tried)}", task=task, status="pending", result=None)
        future.add_done_callback = lambda _: None
        self.to_do.append(future)
        self.tried.append((task, len(self.to_do)))
        return future

    def put(self, future):
        """Nothing, since a test asks for what comes back."""

    def get(self, timeout):
        """Stand in for the queue of what comes back."""
        if dead := any(future.task in self.deadly for future in self.to_do):
            for future in self.to_do:
                future.status = "error"
        future = self.to_do.pop(0)
        if dead or future.status == "error":
            future.result = lambda: (_ for _ in ()).throw(KilledWorker(future.task, None, 0))
        else:
            future.status, future.result = "finished", lambda: Outcome(future.task)
        return future


def dispatched(workers, tasks):
    dispatch = Dispatch(workers, tasks, print)
    dispatch._back = workers
    return {outcome.task: outcome.failure for outcome in dispatch.outcomes()}


def test_a_neighbor_of_what_kills_workers_is_tried_again_alone():
    workers = Workers(deadly={"culprit"})
    found = dispatched(workers, ["one", "culprit", "two", "three", "four", "five"])
    assert [task for task, failure in found.items() if failure] == ["culprit"] and len(found) == 6
    assert f"Got {ROUNDS} that died of it, the last one with nothing else to do." in found["culprit"]
    tries = [at_work for task, at_work in workers.tried if task == "culprit"]
    assert len(tries) == ROUNDS and tries[-1] == 1


def test_who_is_innocent_is_cleared_though_all_others_kill():
    workers = Workers(deadly={"one", "two", "four"})
    assert [task for task, failure in dispatched(workers, ["one", "two", "three", "four"]).items() if not failure] == [
        "three"
    ]


def test_a_lost_scheduler_ends_the_wait():
    workers = Workers(deadly=())
    dispatch = Dispatch(workers, ["one"], print)
    dispatch._back = SimpleNamespace(put=None, get=lambda timeout: cancelled(workers.to_do[0]))
    with pytest.raises(ClusterError, match="Expected the scheduler at tcp://somewhere to stay. Got a lost connection."):
        list(dispatch.outcomes())


def cancelled(future):
    future.status = "cancelled"
    return future


@pytest.fixture
def watched_client(monkeypatch):
    """A watch of a scheduler that tells what a test says, and the lines that it warns of."""

    def make(answer, **seconds):
        for name, value in {"SILENT_SECONDS": 60.0, "GONE_SECONDS": 600.0, **seconds}.items():
            monkeypatch.setattr(watch, name, value)
        monkeypatch.setattr(stall, "PATIENCE_SECONDS", 0.0)
        client = Workers(())
        client.sync = lambda *_, **__: answer()
        client.processing = lambda workers: {workers[0]: ["key"]}
        said = []
        return watch.Watch(client, said.append), said, client

    return make


def test_no_worker_is_told_and_ends_the_wait_at_last(watched_client, monkeypatch):
    looking, said, _ = watched_client(lambda: {"workers": {}})
    looking.look({})
    looking.look({})
    assert said == ["No worker is left at tcp://somewhere. Waiting for one."]
    monkeypatch.setattr(watch, "GONE_SECONDS", -1.0)
    with pytest.raises(
        ClusterError, match="Expected a worker at tcp://somewhere. Got none .* What was finished is kept"
    ):
        looking.look({})


def test_a_worker_that_is_silent_is_told_with_what_it_does(watched_client, write):
    task = Task(tuple(plan_runs(read_study(write()))), "")
    looking, said, _ = watched_client(lambda: {"workers": {"tcp://far": {"last_seen": time.time() - 100}}})
    looking.look({"key": task})
    assert said == [f"The worker tcp://far has not been heard of for 100 s, with ({task.runs[0]}) to do."]


def test_a_worker_that_was_heard_of_again_is_told_of_as_soon_as_before(watched_client, monkeypatch):
    """Patience doubles while it is silent, and begins anew with the next silence."""
    now, last = [1000.0], [0.0]
    looking, said, _ = watched_client(lambda: {"workers": {"tcp://far": {"last_seen": last[0]}}})
    monkeypatch.setattr(watch.time, "time", lambda: now[0])
    monkeypatch.setattr(stall.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(stall, "PATIENCE_SECONDS", 60.0)

    def told_after(seconds):
        """Return when it is told of from now on, if looked for every 10 s."""
        start, said[:] = now[0], []
        while not said and now[0] < start + seconds:
            now[0] += 10
            looking.look({})
        return now[0] - start

    first, _, third = told_after(1000), told_after(1000), told_after(1000)
    assert third > first, "the longer it lasts, the rarer"
    last[0] = now[0]
    looking.look({})
    assert told_after(1000) == int(watch.SILENT_SECONDS) + first


def test_a_scheduler_that_is_silent_is_told_and_one_that_is_gone_ends_the_wait(watched_client):
    def silent():
        raise TimeoutError

    looking, said, client = watched_client(silent)
    looking.look({})
    assert said == ["The scheduler at tcp://somewhere does not answer."]
    client.status = "closed"
    with pytest.raises(ClusterError, match="Expected the scheduler at tcp://somewhere. Got a lost connection."):
        looking.look({})


def test_what_does_not_get_on_is_named_with_its_place(tmp_path, monkeypatch):
    for name in ("LOOK_SECONDS", "PATIENCE_SECONDS"):
        monkeypatch.setattr(stall, name, 0.001)
    (tmp_path / "slow.py").write_text("def measure(told):\n    told.wait(20)\n")
    code: dict = {}
    exec(compile((tmp_path / "slow.py").read_text(), tmp_path / "slow.py", "exec"), code)
    told, said = threading.Event(), []

    def tell(line):
        said.append(line)
        if "slow.py" in line:  # where a thread is late, the first look may come before the file is entered
            told.set()

    with stall.watched("Chip 3", tell):
        code["measure"](told)
    assert said[-1].startswith("Chip 3 has not got on for ") and ", at slow.py, line 2." in said[-1]


def test_what_gets_on_is_not_told(monkeypatch):
    monkeypatch.setattr(stall, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(stall, "PATIENCE_SECONDS", 0.0)
    steps, often = iter(range(10**6)), threading.Event()

    def count():
        step = next(steps)
        if step == 20:
            often.set()
        return step

    said = []
    with stall.watched("Chip 3", said.append, count):
        assert often.wait(20)
    assert said == []


def test_whatever_ends_a_thread_is_the_failure_of_its_task(write, tmp_path):
    ways = ("exit", "interrupt", "base", "os._exit")
    finished = run_study(read_study(write(*ways)), tmp_path / "out", workers=0, console=Console(quiet=True))
    told = " ".join(describe_failure(outcome) for outcome in finished.failures)
    assert finished.computed == 1 and len(finished.failures) == 4
    for got in ("SystemExit: 0", "KeyboardInterrupt", "BaseException: own", "SystemExit: os._exit(0)"):
        assert f"Got {got} (mine.py, line " in told


def test_workers_that_die_at_their_start_are_a_sentence(monkeypatch):
    spawn, before = {"PYTHONHOME": "/nowhere"}, dict(os.environ)
    monkeypatch.setitem(cluster._SETTINGS, cluster._SPAWNED, spawn)
    with pytest.raises(ClusterError, match="Expected 1 workers to start. Got RuntimeError: Nanny failed to start."):
        with connect(1):
            pass
    assert dict(os.environ) == before, "what workers are started with is not left to other processes"


def test_local_workers_ask_for_a_certificate():
    with connect(0) as client:
        address = client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        for stranger in (address, address.replace("tls", "tcp")):
            with pytest.raises((OSError, TypeError)):
                Client(stranger, timeout=2)


@pytest.mark.slow
def test_a_device_that_kills_its_worker_takes_nobody_along(write, tmp_path):
    finished = run_study(read_study(write("kill", "a", "b")), tmp_path / "out", workers=2, console=Console(quiet=True))
    assert [outcome.task.runs[0].case.values["device.how"] for outcome in finished.failures] == ["kill"]
    assert set(load_results(tmp_path / "out")["device.how"]) == {"", "a", "b"}


@pytest.mark.slow
def test_a_scheduler_that_dies_ends_the_run(write, tmp_path):
    slow = CHIP.replace("return x.relu()", "time.sleep(0.05); return x.relu()")
    path = write("a", "b", "c")
    (tmp_path / "mine.py").write_text(slow)
    study = read_study(path)
    command = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
    ]
    file = tmp_path / "scheduler.json"
    scheduler = subprocess.Popen([*command, str(file)], stderr=subprocess.DEVNULL)
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    while not file.exists():
        time.sleep(0.05)
    at_work = subprocess.Popen([*worker, "--scheduler-file", str(file)], stderr=subprocess.DEVNULL)
    try:
        address = json.loads(file.read_text())["address"]
        killer = threading.Timer(15, lambda: scheduler.send_signal(signal.SIGKILL))
        killer.start()
        with pytest.raises(ClusterError, match="What was finished is kept"):
            run_study(study, tmp_path / "out", workers=0, scheduler=address, console=Console(quiet=True))
    finally:
        at_work.kill()
        scheduler.kill()
        at_work.wait(), scheduler.wait()
