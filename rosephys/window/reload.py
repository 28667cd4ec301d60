"""A scene's file, loaded anew when it changes while the window is open."""

from __future__ import annotations

import importlib.util
import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rosephys.errors import describe
from rosephys.window.background import Background
from rosephys.window.session import Phase, Session

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

CHECK_SECONDS = 0.25  # between two looks at the file

Made = tuple["Problem", Mapping[str, Any]]  # a problem, and the settings of its `Session`


@dataclass
class Source:
    """Where a scene comes from: its name or path as it was typed, and how to make it."""

    typed: str
    load: Callable[[], Made]

    @property
    def file(self) -> Path | None:
        """The file of a scene that was given by its path."""
        return Path(self.typed) if self.typed.endswith(".py") else None


class _Loading:
    """`Work` that makes a problem; its result is that, or what went wrong."""

    least = 1

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: Made | str = ""

    def step(self) -> bool:
        try:
            _forget(self._source.file)
            self._found = self._source.load()
        except (Exception, SystemExit) as error:  # the file's own code runs here
            self._found = describe(error)
        return False

    def result(self) -> Made | str:
        return self._found


class Reloader:
    """Looks at a file; once it has changed, and what it says works, there is a new session.

    Each attempt has a thread of its own, so that one that never ends, or a scene that is stuck, does
    not stand in the way of the next. Until an attempt has found a motion the session stays as it is.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.message = ""  # why the file as it is cannot be used
        self._stamp = self._look()
        self._since = 0.0
        self._loading: Background[Made | str] | None = None
        self._next: Session | None = None

    @property
    def busy(self) -> bool:
        """Whether a changed file is being loaded, compiled or solved."""
        return self._loading is not None or self._next is not None

    def advance(self, session: Session, elapsed: float) -> Session:
        """The session to go on with, `elapsed` seconds after the last call: the same or a new one."""
        self._since += elapsed
        if self._since > CHECK_SECONDS:
            self._since = 0.0
            stamp = self._look()
            if stamp is not None and stamp != self._stamp:
                self._stamp = stamp
                self._begin()
        if self._loading:
            self._take(self._loading.take(), session)
        return self._next_or(session)

    def close(self) -> None:
        """Give up what is being loaded."""
        if self._loading:
            self._loading.close()
        if self._next:
            self._next.close()
        self._loading = self._next = None

    def _look(self) -> tuple[int, int] | None:
        try:
            found = self.source.file.stat() if self.source.file else None
        except OSError:  # an editor may be replacing it
            return None
        return (found.st_mtime_ns, found.st_size) if found else None

    def _begin(self) -> None:
        self.close()
        self._loading = Background()
        self._loading.ask(_Loading(self.source), 1)

    def _take(self, results: list[Made | str], session: Session) -> None:
        for found in results:
            self.close()
            if isinstance(found, str):
                self.message = found
            else:
                problem, how = found
                self._next = Session(problem, **how, kept=kept(session, problem))

    def _next_or(self, session: Session) -> Session:
        if self._next is None or session.holding:
            return session
        self._next.receive()
        if self._next.phase is Phase.COMPILING:
            return session
        if self._next.phase is Phase.FAILED:
            self.message = self._next.message
            self.close()
            return session
        made, self._next, self.message = self._next, None, ""
        made.paused = session.paused
        session.close()
        return made


def kept(session: Session, problem: Problem) -> Arrays:
    """The values of a session that another problem takes over.

    These are of the fields that are still there, with the same shape and the same default: who gave a
    field another default in the file wants to see that. They are brought within their bounds.
    """
    out = {}
    for name, value in session.values.items():
        new, old = problem.scene.fields.get(name), session.problem.scene.fields[name]
        if new is None or not new.live or problem.values[name].shape != value.shape:
            continue
        defaults = new.value_for(problem.scene), old.value_for(session.problem.scene)
        if np.array_equal(*defaults):
            out[name] = np.clip(value, *(new.bounds or (-np.inf, np.inf)))
    return out


def _forget(file: Path | None) -> None:
    """Make Python read the file again: its caches tell files apart by their second and their size."""
    if file is not None:
        Path(importlib.util.cache_from_source(str(file.resolve()))).unlink(missing_ok=True)
        Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
        linecache.checkcache(str(file))
