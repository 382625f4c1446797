"""Workers: two on this machine, none but this process, or a cluster that is there; one code path for all."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import dask.config
from distributed import Client, LocalCluster, Worker, WorkerPlugin

_exit = os._exit  # by whatever name devices find it later
CONNECT_SECONDS = 10.0
WAIT_FOR_WORKERS_SECONDS = 60.0
WATCH_SECONDS = 1.0
_SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,  # the driver itself decides who tries again, and beside whom
    "distributed.scheduler.worker-ttl": None,  # a long task is no dead worker
    "distributed.comm.timeouts.connect": "10s",
    # Dask lets its workers give memory back at once, and then every large tensor is paged in anew: twice the time.
    "distributed.nanny.pre-spawn-environ": {
        "MALLOC_TRIM_THRESHOLD_": 2**30,
        "MALLOC_MMAP_THRESHOLD_": 2**30,
        "OMP_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 1,
    },
    "logging": {"distributed": "critical", "tornado": "critical", "bokeh": "critical"},
}


class ClusterError(ValueError):
    """There is nobody to do the work."""


@contextmanager
def connect(workers: int, scheduler: str | None = None) -> Iterator[Client]:
    """Hold a client of the workers.

    Args:
        workers: Processes on this machine; 0 works inside this one.
        scheduler: Address of a running Dask scheduler, to be used instead.

    Raises:
        ClusterError: If nobody answers at that address, or no worker is there.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(_SETTINGS):
        if scheduler is not None:
            with _remote(scheduler) as client:
                yield client
            return
        here = ExitStack()
        try:
            yield _started(here, workers)
        finally:
            with suppress(TimeoutError):  # a busy machine closes slowly; everything is kept, and workers end with us
                here.close()


def _started(here: ExitStack, workers: int) -> Client:
    try:
        client = here.enter_context(Client(here.enter_context(_local(workers))))
        if workers > 0:
            client.register_plugin(_TiedToDriver())
        return client
    except Exception as error:  # of whatever kept a process from its start
        raise ClusterError(
            f"Expected {max(1, workers)} workers to start. Got {type(error).__name__}: {error} Give fewer --workers, "
            "or 0 to work inside this process."
        ) from error


class _TiedToDriver(WorkerPlugin):
    """Work as long as the driver lives, and no longer.

    Ctrl-C on a terminal reaches every process; the driver takes it, and ends its workers. A driver that was killed ends
    nobody, and a worker in the midst of a task would go on for minutes with what nobody asks for any more.
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
        protocol="tls://",  # in this process too, so that nothing listens on any but the loopback address
        security=True,  # who can connect can run code, and every user of this machine reaches the loopback address
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        memory_limit=0,  # the size of a task is what bounds memory
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
