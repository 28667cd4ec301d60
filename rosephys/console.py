"""What is told on standard error: how far something has come, and whatever is not a result.

What changes is shown where a person watches, on a terminal; one that knows no escape codes (TERM=dumb) gets
lines.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import perf_counter

BAR = 30  # columns of a bar, where there is room
ROOM = 4  # columns of a bar below which there is none
SILENT = 1.0  # seconds that something may take before it is told
DUMB = 5.0  # seconds between lines on a terminal that cannot take them away


class _Place:
    """The line of the terminal that is written anew; silent where nobody is watching."""

    def __init__(self, quiet: bool) -> None:
        self.watched = sys.stderr.isatty() and not quiet
        self.dumb = os.environ.get("TERM") == "dumb"
        self._said = ""

    def show(self, text: str) -> None:
        """Show this in place of what is there, cut to the width of the terminal."""
        if not self.watched or text == self._said:
            return
        text = self._said = text[: columns()]
        sys.stderr.write(f"{text}\n" if self.dumb else f"\r{text}\x1b[K")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take it away."""
        if self.watched and self._said and not self.dumb:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._said = ""


def columns() -> int:
    """How many characters of a line a terminal shows for sure."""
    return shutil.get_terminal_size((80, 24)).columns - 1


class Bar:
    """A progress bar on standard error, if a person is watching it and it is not to be `quiet`."""

    def __init__(self, total: int, quiet: bool = False) -> None:
        self._total = total
        self._place = _Place(quiet)
        self._shown = perf_counter() if self._place.dumb else 0.0

    def show(self, done: int, note: str) -> None:
        """Show `done` of the total, at most 20 times a second."""
        since = DUMB if self._place.dumb else 0.05
        if perf_counter() - self._shown > since or done == self._total:
            self._shown = perf_counter()
            self._place.show(bar_line(done, self._total, note, columns()))

    def clear(self) -> None:
        """Take the bar away."""
        self._place.clear()


def bar_line(done: int, total: int, note: str, width: int) -> str:
    """A bar, numbers and a note in at most `width` columns: first the bar gets shorter, then the note."""
    count = f"{done}/{total}"
    room = min(BAR, width - len(count) - len(note) - 3)
    if room < ROOM:
        return f"{count}  {note}"[:width]
    full = round(room * done / max(total, 1))
    return f"{'━' * full}{'─' * (room - full)} {count}  {note}"


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A `with` that gives a function for showing what is done, how much of it and of how much; see `Bar`."""
    bars: dict[str, Bar] = {}

    def show(what: str, done: int, total: int) -> None:
        bars.setdefault(what, Bar(total, quiet)).show(done, what)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.clear()


@contextmanager
def working(what: str, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A `with` that says what is going on, and for how long it has been, from a second on; it gives a function
    that names what is next."""
    place, ended = _Place(quiet), Event()
    now, begin = [what], perf_counter()

    def name(what: str) -> None:
        now[0] = what

    def tell() -> None:
        while not ended.wait(DUMB if place.dumb and place.watched else 0.25):
            seconds = perf_counter() - begin
            if seconds >= SILENT:
                place.show(f"{now[0]} … {seconds:.0f} s")

    teller = Thread(target=tell, daemon=True) if place.watched else None
    if teller:
        teller.start()
    try:
        yield name
    finally:
        ended.set()
        if teller:
            teller.join()
        place.clear()


def say(message: str) -> None:
    """Print what is not a result."""
    print(message, file=sys.stderr)
