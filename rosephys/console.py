"""What is told on standard error: how far something has come, and whatever is not a result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter


class Bar:
    """A progress bar on standard error, if a person is watching it and it is not to be `quiet`."""

    def __init__(self, total: int, quiet: bool = False) -> None:
        self._total = total
        self._shown = 0.0
        self._live = sys.stderr.isatty() and not quiet

    def show(self, done: int, note: str) -> None:
        """Show `done` of the total, at most 20 times a second."""
        if self._live and (perf_counter() - self._shown > 0.05 or done == self._total):
            self._shown = perf_counter()
            full = round(30 * done / max(self._total, 1))
            bar = "━" * full + "─" * (30 - full)
            sys.stderr.write(f"\r{bar} {done}/{self._total}  {note}\x1b[K")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the bar away."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


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


def say(message: str) -> None:
    """Print what is not a result."""
    print(message, file=sys.stderr)
