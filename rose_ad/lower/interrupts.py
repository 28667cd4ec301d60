"""Signals that are answered while compiled code runs: Ctrl-C, an alarm.

A loop that may take long asks `rose_poll` every few milliseconds whether what handles a signal in Python
has raised. If so, its function returns at once with STOPPED in the status word, as do those that called it.
Loops that cannot take long, which are nearly all, ask nothing.
"""

from __future__ import annotations

from ..ir.core import Instr
from .writer import Writer

STOPPED = -1
POLL = "rose_poll"
_DECLARED = f"i64 @{POLL}() cold nounwind memory(inaccessiblemem: readwrite)"


def questions(f: Writer, loop: Instr) -> int:
    """How many iterations of a loop lie between two questions, a power of two; 0 if there are none."""
    return f.module.work.every(loop) if f.module.work else 0


def ask_in(f: Writer, loop: Instr, index: str) -> None:
    """Where the body of a loop begins: ask, if it is time to."""
    every = questions(f, loop)
    if not every:
        return
    if every > 1:
        count = f.assign(f"and i64 {index}, {every - 1}")
        ask_where(f, f.assign(f"icmp eq i64 {count}, {every - 1}"), every)
    else:
        ask(f)


def ask_where(f: Writer, due: str, every: int) -> None:
    """Ask where a bit is set, which it is once in so many times."""
    poll, on = f.fresh("poll"), f.fresh("on")
    f.branch(due, poll, on, every)
    f.start(poll)
    ask(f)
    f.emit(f"br label {on}")
    f.start(on)


def ask(f: Writer) -> None:
    """Ask, and leave the function if that is wanted."""
    f.module.declarations.add(_DECLARED)
    raised = f.assign(f"call i64 @{POLL}()")
    wrong = f.assign(f"icmp ne i64 {raised}, 0")
    f.leave_where(wrong, str(STOPPED))
