"""Work done in a thread of its own, of which only the latest matters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Generic, Protocol, TypeVar

Found = TypeVar("Found")
Shown = TypeVar("Shown", covariant=True)

SHOW_SECONDS = 1 / 60  # results are not looked at more often


class Work(Protocol[Shown]):
    """Something done step by step. Neither method raises: what goes wrong is part of the result."""

    least: int  # steps that are done even if something newer is asked for

    def step(self) -> bool:
        """Do a little; False when nothing is left to do."""

    def result(self) -> Shown:
        """What the steps since the last result have found."""


class Background(Generic[Found]):
    """A thread that does what it was asked for last; what it was doing is given up.

    Work waits until as many steps are allowed as it would make. What is given up shows its result too,
    so that a picture moves even if it is asked for something new all the time. The thread ends with the
    process, whatever it is doing: nobody has to wait for a step that takes a minute.
    """

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._work: Work[Found] | None = None
        self._allowed = 0.0
        self._idle = True
        self._closed = False
        self._free = threading.Event()
        self._free.set()
        self._results: SimpleQueue[Found] = SimpleQueue()
        threading.Thread(target=self._run, name="rosephys solver", daemon=True).start()

    def ask(self, work: Work[Found], allowed: float) -> None:
        """Do this instead of what is being done, `allowed` steps of it for now."""
        with self._turn:
            self._work, self._allowed, self._idle = work, allowed, False
            self._turn.notify_all()

    def allow(self, steps: float) -> None:
        """Let the work make that many steps in all."""
        with self._turn:
            if steps > self._allowed:
                self._allowed = steps
                self._idle = self._idle and self._work is None
                self._turn.notify_all()

    def take(self) -> list[Found]:
        """The results since the last call, the oldest first; does not wait."""
        results = []
        try:
            while True:
                results.append(self._results.get_nowait())
        except Empty:
            return results

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Within this `with` no step begins, though one may go on; but not for longer than a moment.

        What is drawn meanwhile need not share the processor and Python's lock.
        """
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is left that is allowed; False if that took longer than this."""
        with self._turn:
            return self._turn.wait_for(lambda: self._idle, seconds)

    def close(self) -> None:
        """Give up; the thread ends after the step that it is in."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            self._do(work)

    def _next(self) -> Work[Found] | None:
        with self._turn:
            self._wait_until(lambda: self._work is not None)
            return None if self._closed else self._work

    def _do(self, work: Work[Found]) -> None:
        """Make the steps of this work until it is done or something newer is asked for."""
        count, shown_at, more = 0, perf_counter(), True
        while more and (self._work is work or count < work.least) and not self._closed:
            self._free.wait(SHOW_SECONDS)
            more = work.step()
            count += 1
            last = not more or (self._work is not work and count >= work.least)
            if last or count >= self._allowed or perf_counter() - shown_at >= SHOW_SECONDS:
                self._results.put(work.result())
                shown_at = perf_counter()
            with self._turn:
                if not more and self._work is work:
                    self._work = None
                self._wait_until(partial(self._may_go_on, work, count))

    def _may_go_on(self, work: Work[Found], count: int) -> bool:
        """Whether there is something to do: the next step of this work, or other work."""
        return self._work is not work or count < self._allowed

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for `ready`, idle as long as it is not; the lock is held."""
        while not ready() and not self._closed:
            self._idle = True
            self._turn.notify_all()
            self._turn.wait()
        self._idle = False
