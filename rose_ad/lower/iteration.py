"""Loops whose number of steps the program finds: while, and the reverse of a scan that keeps few carries.

What changes from step to step lies in stack slots, which LLVM turns into registers. An array carry has two
places: it is read in one and made in the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..ir import Block, Instr, carried, counts
from ..types import I64, Scalar, Type, value_type

if TYPE_CHECKING:
    from .llvm import _Function

# the steps to go on from a kept carry before the next is kept: of `l` steps to reverse with `c` places
SPLIT = """define internal i64 @rose_split(i64 %l, i64 %c) {
entry:
  %first = add i64 %c, 1
  br label %head
head:
  %r = phi i64 [ 1, %entry ], [ %r1, %more ]
  %two = phi i64 [ 0, %entry ], [ %one, %more ]
  %one = phi i64 [ 1, %entry ], [ %all, %more ]
  %all = phi i64 [ %first, %entry ], [ %next, %more ]
  %short = icmp slt i64 %all, %l
  br i1 %short, label %more, label %done
more:
  %r1 = add i64 %r, 1
  %cr = add i64 %c, %r1
  %product = mul i64 %all, %cr
  %next = sdiv i64 %product, %r1
  br label %head
done:
  %fewer = sub i64 %all, %one
  %rest = sub i64 %l, %fewer
  %a = icmp sgt i64 %rest, %two
  %m = select i1 %a, i64 %rest, i64 %two
  %b = icmp sgt i64 %m, 1
  %split = select i1 %b, i64 %m, i64 1
  ret i64 %split
}"""


class _Cell:
    """A value that changes: a stack slot for a scalar or a pointer."""

    def __init__(self, f: _Function, kind: str) -> None:
        self.f, self.kind = f, kind
        self.name = f.fresh("cell")
        f.entry_lines.append(f"  {self.name} = alloca {kind}")

    def get(self) -> str:
        return self.f.assign(f"load {self.kind}, ptr {self.name}")

    def set(self, value: str) -> None:
        self.f.emit(f"store {self.kind} {value}, ptr {self.name}")


class _Carry:
    """A carry: a scalar in a cell, or an array in one of two places with a cell that says which."""

    def __init__(self, f: _Function, t: Type, loc: int) -> None:
        self.f, self.type = f, t
        self.scalar = isinstance(t, Scalar)
        self.now = _Cell(f, t.llvm if isinstance(t, Scalar) else "ptr")
        if not self.scalar:
            self.places = f.slot(t, loc), f.slot(t, loc)
            self.spare, self.other = _Cell(f, "ptr"), _Cell(f, "ptr")

    def start(self, value: str) -> None:
        """Begin with this value, which is read where it lies."""
        self.now.set(value)
        if not self.scalar:
            self.spare.set(self.places[0])
            self.other.set(self.places[1])

    def get(self) -> str:
        return self.now.get()

    def place(self) -> str | None:
        """Where the next value is to be made."""
        return None if self.scalar else self.spare.get()

    def set(self, value: str, place: str | None) -> None:
        """The next value, made at `place` if it could be."""
        if place is None:
            self.now.set(value)
            return
        self.f.store(self.type, value, place)
        self.now.set(place)
        self.spare.set(self.other.get())
        self.other.set(place)


def _run(f: _Function, block: Block, values: Sequence[str], carries: Sequence[_Carry]) -> None:
    """A block, given its parameters; its first results become the carries."""
    f.values.update(zip(block.params, values, strict=True))
    places = [c.place() for c in carries]
    results = f.block(block, places)
    for c, value, place in zip(carries, results, places, strict=True):
        c.set(value, place)


@contextmanager
def _loop(f: _Function) -> Iterator[tuple[str, str]]:
    """Labels of a loop's head and end; the body is to leave through the end."""
    head, end = f.fresh("head"), f.fresh("done")
    f.emit(f"br label {head}")
    f.start(head)
    yield head, end
    f.emit(f"br label {head}")
    f.start(end)


def _go_on(f: _Function, condition: str, end: str) -> None:
    """Leave a loop where the condition does not hold."""
    body = f.fresh("body")
    f.emit(f"br i1 {condition}, label {body}, label {end}")
    f.start(body)


def lower_filter(f: _Function, instr: Instr) -> None:
    """The loop, with a list of the iterations that are kept."""
    from .llvm import _Loop

    (body,) = instr.blocks
    kept, *places = [f.place(o, instr.loc) for o in (instr.outs[0], *instr.outs[2:])]
    low, high = [f.atom(a) for a in instr.args] or ["0", str(instr.attr)]
    count = _Cell(f, "i64")
    count.set("0")
    loop = _Loop(f, low, high)
    f.values[body.params[0]] = loop.index
    rows = [f.row(r.type, p, loop.index) for r, p in zip(body.results[1:], places, strict=True)]
    keep, *values = f.block(body, [None, *rows])
    for r, value, row in zip(body.results[1:], values, rows, strict=True):
        f.store(r.type, value, row)
    listed, after = f.fresh("keep"), f.fresh("next")
    f.emit(f"br i1 {keep}, label {listed}, label {after}")
    f.start(listed)
    n = count.get()
    f.emit(f"store i64 {loop.index}, ptr {f.row(I64, kept, n)}")
    count.set(f.assign(f"add nsw i64 {n}, 1"))
    f.emit(f"br label {after}")
    f.start(after)
    loop.close()
    f.values.update(zip(instr.outs, [kept, count.get(), *places], strict=True))


def lower_while(f: _Function, instr: Instr) -> None:
    """The loop: test, then the body, at most n times."""
    body, test = instr.blocks
    count = len(instr.args)
    ys = [f.place(o, instr.loc) for o in instr.outs[count:-1]]
    carries = [_Carry(f, a.type, instr.loc) for a in instr.args]
    for c, a in zip(carries, instr.args, strict=True):
        c.start(f.atom(a))
    steps = _Cell(f, "i64")
    steps.set("0")
    with _loop(f) as (_, end):
        i = steps.get()
        values = [c.get() for c in carries]
        _go_on(f, f.assign(f"icmp slt i64 {i}, {instr.attr}"), end)
        f.values.update(zip(test.params, values, strict=True))
        _go_on(f, f.block(test, [None])[0], end)
        rows = [f.row(r.type, y, i) for r, y in zip(body.results[count:], ys, strict=True)]
        f.values.update(zip(body.params, [i, *values], strict=True))
        places = [*(c.place() for c in carries), *rows]
        results = f.block(body, places)
        for c, value, place in zip(carries, results, places, strict=False):
            c.set(value, place)
        for r, value, row in zip(body.results[count:], results[count:], rows, strict=True):
            f.store(r.type, value, row)
        steps.set(f.assign(f"add nsw i64 {i}, 1"))
    f.values.update(zip(instr.outs, [*(c.get() for c in carries), *ys, steps.get()], strict=True))


def lower_rewind(f: _Function, instr: Instr) -> None:
    """The reverse of a scan with a few carries kept, by the binomial schedule.

    Place k holds the carries at position[k]. While steps are left before `end`: from the last place, run on
    to where the schedule says and keep the carries there; or, where a single step or no place is left, run on
    to the last step and reverse it.
    """
    _Rewind(f, instr).run()


class _Rewind:
    def __init__(self, f: _Function, instr: Instr) -> None:
        self.f, self.instr = f, instr
        self.step, self.back = instr.blocks
        self.n, self.reverse, _, self.slots, _ = instr.attr
        k = len(self.step.results)
        args = carried(instr)
        self.initial, self.cotangents = args[:k], args[k:]
        self.kept = [self._places(value_type(a.type).size) for a in self.initial]
        self.positions = self._places(8)
        self.state = [_Carry(f, a.type, instr.loc) for a in self.initial]
        self.cts = [_Carry(f, a.type, instr.loc) for a in self.cotangents]
        self.end, self.top, self.at = (_Cell(f, "i64") for _ in range(3))

    def _places(self, size: int) -> str:
        return self.f.room(self.slots * size, self.instr.loc)

    def _slot(self, k: int, top: str) -> str:
        return self.f.row(self.initial[k].type, self.kept[k], top)

    def _position(self, top: str) -> str:
        return self.f.assign(f"getelementptr inbounds i64, ptr {self.positions}, i64 {top}")

    def _keep(self, top: str, position: str, values: Sequence[str]) -> None:
        f = self.f
        f.emit(f"store i64 {position}, ptr {self._position(top)}")
        for k, (a, value) in enumerate(zip(self.initial, values, strict=True)):
            f.store(a.type, value, self._slot(k, top))

    def run(self) -> None:
        f = self.f
        number = counts(self.instr)
        self.count = f.atom(number[0]) if number else str(self.n)
        self.end.set(self.count)
        self.top.set("0")
        self._keep("0", "0", [f.atom(a) for a in self.initial])
        for c, a in zip(self.cts, self.cotangents, strict=True):
            c.start(f.atom(a))
        with _loop(f) as (head, done):
            end = self.end.get()
            _go_on(f, f.assign(f"icmp sgt i64 {end}, 0"), done)
            top = self.top.get()
            start = f.assign(f"load i64, ptr {self._position(top)}")
            ahead, backwards = self._schedule(start, end, top)
            self._run_on(start, ahead, top)
            reverse, keep = f.fresh("back"), f.fresh("keep")
            f.emit(f"br i1 {backwards}, label {reverse}, label {keep}")
            f.start(keep)
            above = f.assign(f"add nsw i64 {top}, 1")
            self._keep(above, ahead, [c.get() for c in self.state])
            self.top.set(above)
            f.emit(f"br label {head}")
            f.start(reverse)
            last = f.assign(f"sub nsw i64 {end}, 1")
            values = [self._index(last), *(c.get() for c in (*self.state, *self.cts))]
            _run(f, self.back, values, self.cts)
            self.end.set(last)
            over = f.assign(f"icmp eq i64 {start}, {last}")
            below = f.assign(f"sub nsw i64 {top}, 1")
            self.top.set(f.assign(f"select i1 {over}, i64 {below}, i64 {top}"))
        f.values.update(zip(self.instr.outs, (c.get() for c in self.cts), strict=True))

    def _schedule(self, start: str, end: str, top: str) -> tuple[str, str]:
        """The position to run on to, and whether the step there is then reversed."""
        f = self.f
        if SPLIT not in f.module.globals:
            f.module.globals.append(SPLIT)
        left = f.assign(f"sub nsw i64 {end}, {start}")
        places = f.assign(f"sub nsw i64 {self.slots}, {top}")  # the one at `start` among them
        single = f.assign(f"icmp eq i64 {left}, 1")
        full = f.assign(f"icmp eq i64 {places}, 1")
        backwards = f.assign(f"or i1 {single}, {full}")
        last = f.assign(f"sub nsw i64 {end}, 1")
        split = f.assign(f"call i64 @rose_split(i64 {left}, i64 {places})")
        middle = f.assign(f"add nsw i64 {start}, {split}")
        return f.assign(f"select i1 {backwards}, i64 {last}, i64 {middle}"), backwards

    def _run_on(self, start: str, ahead: str, top: str) -> None:
        """The carries at `ahead`, from those kept at `start`."""
        f = self.f
        for k, c in enumerate(self.state):
            slot = self._slot(k, top)
            c.start(f.load(c.type, slot) if isinstance(c.type, Scalar) else slot)
        self.at.set(start)
        with _loop(f) as (_, done):
            at = self.at.get()
            _go_on(f, f.assign(f"icmp slt i64 {at}, {ahead}"), done)
            values = [self._index(at), *(c.get() for c in self.state)]
            _run(f, self.step, values, self.state)
            self.at.set(f.assign(f"add nsw i64 {at}, 1"))

    def _index(self, position: str) -> str:
        """The loop index of the step at a position."""
        if not self.reverse:
            return position
        last = self.f.assign(f"sub nsw i64 {self.count}, 1")
        return self.f.assign(f"sub nsw i64 {last}, {position}")
