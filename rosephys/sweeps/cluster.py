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
from typing import TYPE_CHECKING, Any

from ..errors import SceneError, SweepError
from .job import Job, unpacked

if TYPE_CHECKING:
    from distributed import Client

SECONDS = 10.0  # for a scheduler to answer


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
    from distributed import Client, LocalCluster

    if isinstance(where, str):
        with _client(Client, where) as client:
            yield OnDask(client)
        return
    how: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(n_workers=where, **how) as local, Client(local) as client:
        yield OnDask(client)


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
    """An executor whose tasks, a job and a number each, run on a Dask cluster."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._sent: dict[bytes, Any] = {}  # a job's bytes to what it is on the cluster

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A task for `fn`, which is a Job."""
        assert isinstance(fn, Job) and not kwargs
        if fn.packed not in self._sent:
            self._sent[fn.packed] = self.client.submit(unpacked, fn.packed)
        task = self.client.submit(_rows, self._sent[fn.packed], *args, pure=False)
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        task.add_done_callback(lambda task: _settle(future, task))
        return future


def _rows(job: Job, k: int) -> Any:
    """What a worker does."""
    return job(k)


def _settle(future: Future[Any], task: Any) -> None:
    """Give a future what a task of Dask has come to."""
    try:
        future.set_result(task.result())
    except Exception as error:
        kind = type(error).__name__
        if kind in ("KilledWorker", "FutureCancelledError", "CancelledError", "CommClosedError"):
            error = SweepError(f"the cluster has lost a task for good ({kind}): {error}")
        future.set_exception(error)
