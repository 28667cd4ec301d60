"""A job computed by an executor: chunk after chunk, a bounded number of them on the way, in whatever order they
come back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from itertools import islice
from queue import SimpleQueue

from ..errors import SweepError
from .descent import Floats
from .job import Job

AHEAD = 4096  # chunks on the way: enough for a thousand workers


def results(job: Job, chunks: Iterable[int], executor: Executor) -> Iterator[tuple[int, Floats]]:
    """The number and the rows of each chunk as it comes. Raises what computing it raises, and SweepError where
    the executor breaks; what is on the way then is given up."""
    left = iter(chunks)
    asked: dict[Future[Floats], int] = {}
    came: SimpleQueue[Future[Floats]] = SimpleQueue()
    try:
        while True:
            for k in islice(left, AHEAD - len(asked)):
                future = executor.submit(job, k)
                asked[future] = k
                future.add_done_callback(came.put)
            if not asked:
                return
            done = came.get()
            yield asked.pop(done), done.result()
    except BrokenExecutor as error:
        raise SweepError(
            f"a worker has died: {error or type(error).__name__}; begin again with resume, which loses nothing"
            " that was kept"
        ) from error
    finally:
        for future in asked:
            future.cancel()
