"""A Dask cluster as an executor: jobs go there once, tasks are numbers.

A job is itself a task, whose only argument is its bytes: whoever needs it and has it not is sent it, and where
all who had it have died it is made again, from the scheduler's own copy. So a worker that dies loses nothing:
what it was computing is computed elsewhere, by Dask's own rule for tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from importlib.util import find_spec
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from ..errors import SceneError, SweepError
from .job import Job, unpacked

if TYPE_CHECKING:
    from distributed import Client

SECONDS = 10.0  # for a scheduler to answer
# a cluster of this machine shares the cores with its own upkeep, which is then done less often
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "2s",
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.tick.cycle": "5s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.gil.enabled": False,
}


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """A `with` that gives the executor of a Dask cluster: of the one whose scheduler is at an address, such as
    tcp://10.0.0.1:8786, or of "local:2", two processes of this machine that end with it.

    Raises SceneError for what is no address, SweepError where Dask is not installed or nobody answers.
    """
    if find_spec("distributed") is None:
        raise SweepError(
            'a sweep on a cluster needs Dask, which is not installed: pip install "rosephys[cluster]"'
        )
    where = _scheduler(address)
    import dask
    from distributed import Client, LocalCluster

    if isinstance(where, str):
        with _client(Client, where) as client, OnDask(client) as executor:
            yield executor
        return
    how: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": ":0"}
    with dask.config.set(QUIET), LocalCluster(n_workers=where, **how) as local:
        with Client(local) as client, OnDask(client) as executor:
            yield executor


def _scheduler(address: str) -> str | int:
    """Where a scheduler is, or how many processes of this machine."""
    kind, colon, rest = address.partition(":")
    if kind == "local":
        if not (colon and rest.isdecimal() and int(rest) > 0):
            raise SceneError(f"local:N is a cluster of N processes, at least 1, not {address}")
        return int(rest)
    host, port = address.rpartition(":")[::2]
    if not (host and port.isdecimal()):
        raise SceneError(f"{address} is no address of a scheduler: tcp://HOST:PORT, or local:N")
    return address


@contextmanager
def _client(kind: type[Client], address: str) -> Iterator[Client]:
    try:
        client = kind(address, timeout=SECONDS)
    except (OSError, ValueError) as error:
        raise SweepError(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise SweepError(f"the Dask cluster at {address} has no workers")
        yield client


class OnDask(Executor):
    """An executor whose tasks, a job and a number each, run on a Dask cluster.

    What has come is fetched by one thread, as much at once as there is, for each fetch asks the scheduler.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._sent: dict[bytes, Any] = {}  # a job's bytes to what it is on the cluster
        self._asked: dict[Any, Future[Any]] = {}
        self._came: SimpleQueue[Any] = SimpleQueue()  # tasks, and at the end None
        self._fetcher = Thread(target=self._fetch, daemon=True)
        self._fetcher.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A task for `fn`, which is a Job."""
        assert isinstance(fn, Job) and not kwargs
        if fn.packed not in self._sent:
            self._sent[fn.packed] = self.client.submit(unpacked, fn.packed)
        task = self.client.submit(rows, self._sent[fn.packed], *args, pure=False)
        future = self._asked[task] = Future[Any]()
        future.set_running_or_notify_cancel()
        task.add_done_callback(self._came.put)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the thread; the cluster is its owner's."""
        self._came.put(None)
        if wait:
            self._fetcher.join()

    def _fetch(self) -> None:
        """Give each future what its task has come to, until the end."""
        while True:
            came = [self._came.get()]
            while not self._came.empty():
                came.append(self._came.get())
            tasks = [task for task in came if task is not None]
            for task, result in zip(tasks, self._results(tasks), strict=True):
                future = self._asked.pop(task)
                if isinstance(result, BaseException):
                    future.set_exception(result)
                else:
                    future.set_result(result)
            if len(tasks) < len(came):
                return

    def _results(self, tasks: list[Any]) -> list[Any]:
        """What tasks have given, or raised."""
        try:
            return list(self.client.gather(tasks))
        except Exception as error:
            if len(tasks) == 1:
                return [_told(error)]
            return [result for task in tasks for result in self._results([task])]


def rows(job: Job, k: int) -> Any:
    """What a worker does."""
    return job(k)


def _told(error: Exception) -> Exception:
    """What a task has raised; in words where Dask has given it up."""
    kind = type(error).__name__
    if kind in ("KilledWorker", "FutureCancelledError", "CancelledError", "CommClosedError"):
        return SweepError(f"the cluster has lost a task for good ({kind}): {error}")
    return error
