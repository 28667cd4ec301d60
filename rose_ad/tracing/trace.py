"""The state of tracing: which function is being traced, and into which of its blocks.

A Python function is run once on traced values; what it does to them is emitted. Loops and branches open a
block and close it again. A value may be used in the block that made it and in the blocks inside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from ..base.errors import TraceError
from ..base.source import here, name_of, show
from ..ir.builder import Builder
from ..ir.core import Atom, Block, Var
from ..ir.types import Ref


@dataclass
class Frame:
    """A block being written: its builder, what opened it ("loop", "branch", "function") and where."""

    builder: Builder
    what: str
    loc: int
    left: int | None = None  # where a loop was left before its end, if it was


class Trace:
    """One function being traced."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frames = [Frame(Builder(), "function", here())]
        self.closed: dict[Block, Frame] = {}
        self.parent: Trace | None = None  # the trace of the function that calls this one
        self.captured: dict[Var, Var] = {}  # values of functions around this one -> parameters

    @property
    def builder(self) -> Builder:
        """The builder of the innermost open block."""
        top = self.frames[-1]
        if top.left is not None:
            self._left(top)
        return top.builder

    def open(self, builder: Builder, what: str) -> Frame:
        """Start writing a block inside the current one."""
        frame = Frame(builder, what, here())
        self.frames.append(frame)
        return frame

    def close(self, frame: Frame) -> None:
        """Finish a block; a loop left open inside it was left by `break`."""
        self.check_innermost(frame)
        self.frames.pop()
        self.closed[frame.builder.block] = frame

    def check_innermost(self, frame: Frame) -> None:
        """Raise where a loop inside `frame` was left before its end."""
        if self.frames[-1] is not frame:
            self._left(self.frames[-1])

    def _left(self, loop: Frame) -> NoReturn:
        raise TraceError(
            "a loop over ra.range was left by break or return: its body is traced once, "
            "for every iteration",
            loop.loc if loop.left is None else loop.left,
            "guard what the iteration does with `with ra.when(condition):`",
        )

    @contextmanager
    def block(self, builder: Builder, what: str) -> Iterator[Builder]:
        """A block for the duration of a `with`."""
        frame = self.open(builder, what)
        depth = len(self.frames)
        try:
            yield builder
        except BaseException:
            del self.frames[depth - 1 :]
            raise
        self.close(frame)

    def resolve(self, atom: Atom, loc: int | None = None) -> Atom:
        """What a value that is used here is in this function: itself, or, where a function around this one
        made it, a further parameter. TraceError, at `loc` or here, where what made it has ended."""
        if not isinstance(atom, Var) or self._sees(atom):
            return atom
        if isinstance(atom.type, Ref) or not any(t._sees(atom) for t in self._around()):
            self._escaped(atom, here() if loc is None else loc)
        known = self.captured.get(atom)
        if known is None:
            known = self.captured[atom] = self.frames[0].builder.block.param(atom.type)
        return known

    def _sees(self, atom: Var) -> bool:
        scope: Builder | None = self.builder
        while scope is not None:
            if scope.block is atom.block:
                return True
            scope = scope.parent
        return False

    def _around(self) -> Iterator[Trace]:
        trace = self.parent
        while trace is not None:
            yield trace
            trace = trace.parent

    def _escaped(self, atom: Var, loc: int) -> NoReturn:
        frame = next(
            (t.closed[atom.block] for t in (self, *self._around()) if atom.block in t.closed), None
        )
        made = f". It was made here:\n{show(atom.instr.loc)}" if atom.instr is not None else ""
        if frame is None:
            raise TraceError(
                f"a value of another function is used while {self.name} is traced",
                loc,
                f"pass it as an argument, or define {self.name} inside that function{made}",
            )
        if frame.what == "loop":
            instead = (
                "carry it with ra.scan or ra.fori_loop, add into an ra.accum(...), "
                "or make an array with ra.build"
            )
        else:
            instead = "make the branch give a result with ra.cond or ra.where"
        raise TraceError(
            f"a value is used after the {frame.what} that made it (at {name_of(frame.loc)}) has ended",
            loc,
            f"{instead}{made}",
        )


class _State(threading.local):
    def __init__(self) -> None:
        self.traces: list[Trace] = []


_state = _State()


def current() -> Trace | None:
    """The trace of the function that is being traced now, if any."""
    return _state.traces[-1] if _state.traces else None


def required(what: str) -> Trace:
    """The current trace; TraceError where there is none."""
    trace = current()
    if trace is None:
        raise TraceError(
            f"{what} can only be used in a function that is being traced",
            here(),
            "call it from a function decorated with @ra.fn",
        )
    return trace


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Make `trace` the current one for the duration of a `with`."""
    trace.parent = current()
    _state.traces.append(trace)
    try:
        yield trace
    except ValueError as error:
        if isinstance(error.__cause__, TraceError):  # which says it better than numpy does
            raise error.__cause__ from None
        raise
    finally:
        _state.traces.remove(trace)
