"""Workers: processes on this machine, this process alone, or a running cluster; one code path for all."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import dask.config
from distributed import Client, LocalCluster, Worker, WorkerPlugin

_exit = os._exit  # under any name that devices import later
CONNECT_SECONDS = 10.0
WAIT_FOR_WORKERS_SECONDS = 60.0
WATCH_SECONDS = 1.0
_SPAWNED = "distributed.nanny.pre-spawn-environ"
_SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,  # the driver decides which tasks are retried, and with which neighbors
    "distributed.scheduler.worker-ttl": None,  # a long task is not a dead worker
    "distributed.comm.timeouts.connect": "10s",
    # Dask makes workers return memory at once; each large tensor is then paged in anew, which doubles the time.
    _SPAWNED: {
        "MALLOC_TRIM_THRESHOLD_": 2**30,
        "MALLOC_MMAP_THRESHOLD_": 2**30,
        "OMP_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 1,
    },
    "logging": {"distributed": "critical", "tornado": "critical", "bokeh": "critical"},
}


class ClusterError(ValueError):
    """No workers are available."""


@contextmanager
def connect(workers: int, scheduler: str | None = None) -> Iterator[Client]:
    """Context of a client of the workers.

    Args:
        workers: Processes on this machine; 0 works inside this one.
        scheduler: Address of a running Dask scheduler, to be used instead.

    Raises:
        ClusterError: If no scheduler answers at the address, or it has no worker.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(_SETTINGS), _same_environment():
        if scheduler is not None:
            with _remote(scheduler) as client:
                yield client
            return
        here = ExitStack()
        try:
            yield _started(here, workers)
        finally:
            with suppress(TimeoutError):  # a busy machine closes slowly; results are kept, and workers end with us
                here.close()


@contextmanager
def _same_environment() -> Iterator[None]:
    """Give this process its variables back: Dask sets those of its workers here, and leaves them."""
    names = (*dask.config.get(_SPAWNED), "PYTHONHASHSEED", "__DASK_PARENT_PID")
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _started(here: ExitStack, workers: int) -> Client:
    try:
        client = here.enter_context(Client(here.enter_context(_local(workers))))
        if workers > 0:
            client.register_plugin(_TiedToDriver())
        return client
    except Exception as error:  # any reason that a process did not start
        raise ClusterError(
            f"Expected {max(1, workers)} workers to start. Got {type(error).__name__}: {error} Give fewer --workers, "
            "or 0 to work inside this process."
        ) from error


class _TiedToDriver(WorkerPlugin):
    """End a worker with its driver.

    Ctrl-C on a terminal reaches every process; the driver handles it and ends its workers. A killed driver cannot, and
    a worker would continue an obsolete task for minutes.
    """

    def setup(self, worker: Worker) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(driver: int) -> None:
    while os.getppid() == driver:
        time.sleep(WATCH_SECONDS)
    _exit(1)


def _local(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=max(1, workers),
        threads_per_worker=1,
        processes=workers > 0,
        protocol="tls://",  # in this process too, so that only the loopback address listens
        security=True,  # a connection can run code, and every user of this machine reaches the loopback address
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        memory_limit=0,  # memory is bounded by the size of tasks
        silence_logs=logging.CRITICAL,
    )


@contextmanager
def _remote(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (TimeoutError, OSError, ValueError) as error:
        raise ClusterError(
            f"Expected a Dask scheduler at {address}. Got {type(error).__name__}. Start `dask scheduler` and give the "
            "address that it prints, such as tcp://host:8786."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS_SECONDS)
        except TimeoutError as error:
            raise ClusterError(
                f"Expected a worker at the scheduler {address}. Got none in {WAIT_FOR_WORKERS_SECONDS:.0f} seconds. "
                f"Start `dask worker {address} --nthreads 1`."
            ) from error
        yield client
