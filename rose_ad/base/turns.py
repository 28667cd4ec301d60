"""Making a thing once, where many threads want it, and processes fork meanwhile.

A thread waits for another that makes the same thing only while it makes nothing itself, so two never wait for
each other. Inside, it makes the thing a second time; which of the two is kept is for the caller to say.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


class _State(threading.local):
    making = False  # whether this thread makes something


_state = _State()


class Turns:
    """Whose turn it is to make things of one kind."""

    def __init__(self) -> None:
        # by process: what another thread holds at a fork is never released in the child
        self._locks: dict[int, threading.RLock] = {}

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Within this `with` no other thread makes what this one does, but for those that make more."""
        if _state.making:
            yield
            return
        process = os.getpid()
        lock = self._locks.get(process) or self._locks.setdefault(process, threading.RLock())
        with lock:
            _state.making = True
            try:
                yield
            finally:
                _state.making = False


def held_across_forks(lock: AbstractContextManager[Any]) -> None:
    """Make forks wait for a lock, so that it is free in the child."""

    def release() -> None:
        lock.__exit__(None, None, None)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.__enter__, after_in_parent=release, after_in_child=release)
