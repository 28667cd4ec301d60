"""Loops: counted ones, while, and the reverse of a scan that keeps few carries.

An array carry has two places: it is read in one and made in the other, so that nothing is copied between steps.
Where the number of steps is not known, what changes from step to step lies in stack slots, which LLVM turns
into registers.

The loops are those of scalar code and of lane code (lanes/) alike. There lanes may differ in the number of
their steps: the loop goes on while one of them runs, and the carries of those that do not stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..ir.core import Atom, Block, Instr, Var
from ..ir.queries import carried, counts
from ..ir.types import Scalar
from .interrupts import ask_in, ask_where, questions
from .loop_hints import at_latch
from .writer import Writer

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


class Loop:
    """A counted loop being written: head with its phis, body, latch."""

    def __init__(self, f: Writer, low: str, high: str) -> None:
        self.f = f
        before = f.label
        self.head, self.body, self.end = f.fresh("head"), f.fresh("body"), f.fresh("done")
        self.index = f.fresh("i")
        self.next = f.fresh("n")
        f.emit(f"br label {self.head}")
        f.start(self.head)
        self._index_line = len(f.lines)
        f.lines.append(f"  {self.index} = phi i64 [ {low}, %{before} ], [ {self.next}, @LATCH@ ]")
        self.before = before
        self._phis: list[tuple[int, str, str, str, str]] = []
        self._head_end = len(f.lines)
        more = f.fresh("c")
        f.emit(f"{more} = icmp slt i64 {self.index}, {high}")
        f.emit(f"br i1 {more}, label {self.body}, label {self.end}")
        f.start(self.body)
        bounded = low.isdigit() and high.isdigit()
        self.times = int(high) - int(low) if bounded else None
        self._start = len(f.lines)

    def phi(self, kind: str, initial: str) -> tuple[str, int]:
        """A value that changes from iteration to iteration, and its number."""
        name = self.f.fresh("x")
        line = self._head_end + len(self._phis)
        self.f.lines.insert(line, "")
        self._phis.append((line, name, kind, initial, ""))
        return name, len(self._phis) - 1

    def set(self, number: int, value: str) -> None:
        """What the phi is in the next iteration."""
        line, name, kind, initial, _ = self._phis[number]
        self._phis[number] = (line, name, kind, initial, value)

    def close(self, accesses: str = "") -> None:
        """End the body; `accesses` are those that are parallel, if it is a parallel loop."""
        f = self.f
        note = at_latch(f.module, self.times, len(f.lines) - self._start, accesses)
        f.emit(f"{self.next} = add nsw i64 {self.index}, 1")
        f.emit(f"br label {self.head}{note}")
        latch = f.label
        f.lines[self._index_line] = f.lines[self._index_line].replace("@LATCH@", f"%{latch}")
        for line, name, kind, initial, value in self._phis:
            f.lines[line] = (
                f"  {name} = phi {kind} [ {initial}, %{self.before} ], [ {value}, %{latch} ]"
            )
        f.start(self.end)


@contextmanager
def in_pieces(f: Writer, loop: Instr, low: str, high: str) -> Iterator[tuple[str, str]]:
    """The bounds of a loop whose body asks nothing (see interrupts.py): its own, or those of a piece of it in a
    loop over the pieces."""
    every = questions(f, loop)
    if not every:
        yield low, high
        return
    whole = f.assign(f"sub i64 {high}, {low}")
    more = f.assign(f"add i64 {whole}, {every - 1}")
    outer = Loop(f, "0", f.assign(f"sdiv i64 {more}, {every}"))
    ask_where(f, f.assign(f"icmp ne i64 {outer.index}, 0"), 1000)
    first = f.assign(f"add i64 {low}, {f.assign(f'mul i64 {outer.index}, {every}')}")
    end = f.assign(f"add i64 {first}, {every}")
    short = f.assign(f"icmp slt i64 {high}, {end}")
    yield first, f.assign(f"select i1 {short}, i64 {high}, i64 {end}")
    outer.close()


def _two(f: Writer, v: Var, instr: Instr) -> tuple[str, str]:
    """Two places for an array carry."""
    return f.slot(f.bytes_of(v), instr.loc), f.slot(f.bytes_of(v), instr.loc)


class Cell:
    """A value that changes: a stack slot for a number or a pointer."""

    def __init__(self, f: Writer, kind: str) -> None:
        self.f, self.kind = f, kind
        self.name = f.fresh("cell")
        f.entry_lines.append(f"  {self.name} = alloca {kind}")

    def get(self) -> str:
        return self.f.assign(f"load {self.kind}, ptr {self.name}")

    def set(self, value: str) -> None:
        self.f.emit(f"store {self.kind} {value}, ptr {self.name}")


class _Carry:
    """A carry, which is `v` in a block: a scalar in a cell, or an array in one of two places with a cell that
    says which."""

    def __init__(self, f: Writer, v: Var, instr: Instr) -> None:
        self.f, self.v = f, v
        self.scalar = isinstance(v.type, Scalar)
        self.now = Cell(f, f.kind(v))
        if not self.scalar:
            self.places = _two(f, v, instr)
            self.spare, self.other = Cell(f, "ptr"), Cell(f, "ptr")

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

    def set(self, r: Atom, place: str | None, on: str | None) -> None:
        """The next value, made at `place` if it could be."""
        f, old = self.f, self.get()
        if place is None:
            self.now.set(f.carry_on(self.v, f.like(r, self.v), old, on))
            return
        f.put(r, self.v, place)
        self.now.set(f.carry_on(self.v, place, old, on))
        self.spare.set(self.other.get())
        self.other.set(place)


def _run(
    f: Writer, block: Block, values: Sequence[str], carries: Sequence[_Carry], on: str | None
) -> None:
    """A block, given its parameters; its first results become the carries."""
    f.values.update(zip(block.params, values, strict=True))
    places = [c.place() for c in carries]
    with f.under(on):
        f.block(block, f.usable(places, block.results, [c.v for c in carries]))
    for c, r, place in zip(carries, block.results, places, strict=True):
        c.set(r, place, on)


@contextmanager
def _loop(f: Writer) -> Iterator[tuple[str, str]]:
    """Labels of a loop's head and end; the body is to leave through the end."""
    head, end = f.fresh("head"), f.fresh("done")
    f.emit(f"br label {head}")
    f.start(head)
    start = len(f.lines)
    yield head, end
    f.emit(f"br label {head}{at_latch(f.module, None, len(f.lines) - start)}")
    f.start(end)


def go_on(f: Writer, condition: str, end: str) -> None:
    """Leave a loop where the condition does not hold."""
    body = f.fresh("body")
    f.emit(f"br i1 {condition}, label {body}, label {end}")
    f.start(body)


class List:
    """What a filter makes: the rows, and the list of the iterations that are kept."""

    def __init__(self, f: Writer, instr: Instr) -> None:
        self.f, self.instr = f, instr
        self.kept, *self.places = [f.place(o, instr.loc) for o in (instr.outs[0], *instr.outs[2:])]
        self.count = Cell(f, f.kind(instr.outs[1]))
        self.count.set("zeroinitializer")

    def step(self, index: str) -> None:
        """The body, once, for the rows at `index`."""
        f, body, rows = self.f, self.instr.blocks[0], self.instr.outs[2:]
        places = [f.row(o, p, index) for o, p in zip(rows, self.places, strict=True)]
        f.block(body, [None, *f.usable(places, body.results[1:], rows)])
        for r, o, place in zip(body.results[1:], rows, places, strict=True):
            f.put(r, o, place)

    def append(self, keep: Atom, index: str) -> None:
        """Put an iteration into the list if `keep` holds."""
        self.append_if(self.f.atom(keep), index)

    def append_if(self, keep: str, index: str) -> None:
        """Put an iteration into the list where a bit is set."""
        f = self.f
        listed, after = f.fresh("keep"), f.fresh("next")
        f.emit(f"br i1 {keep}, label {listed}, label {after}")
        f.start(listed)
        n = self.count.get()
        f.emit(f"store i64 {index}, ptr {f.row(self.instr.outs[0], self.kept, n)}")
        self.count.set(f.assign(f"add nsw i64 {n}, 1"))
        f.emit(f"br label {after}")
        f.start(after)

    def close(self) -> None:
        """The results."""
        values = [self.kept, self.count.get(), *self.places]
        self.f.values.update(zip(self.instr.outs, values, strict=True))


class While:
    """A while loop being written: test, then the body, at most n times."""

    def __init__(self, f: Writer, instr: Instr) -> None:
        self.f, self.instr = f, instr
        self.body, self.test = instr.blocks

    def run(self) -> None:
        f, instr, body = self.f, self.instr, self.body
        count = len(instr.args)
        ys = [f.place(o, instr.loc) for o in instr.outs[count:-1]]
        carries = [_Carry(f, v, instr) for v in body.params[1:]]
        for c, a in zip(carries, instr.args, strict=True):
            c.start(f.like(a, c.v))
        step = Cell(f, "i64")
        step.set("0")
        self.start()
        with _loop(f) as (_, end):
            i = step.get()
            values = [c.get() for c in carries]
            go_on(f, f.assign(f"icmp slt i64 {i}, {instr.length}"), end)
            ask_in(f, instr, i)
            f.values.update(zip(self.test.params, values, strict=True))
            on = self.test_step(end)
            rows = [f.row(o, y, i) for o, y in zip(instr.outs[count:-1], ys, strict=True)]
            f.values.update(zip(body.params, [i, *values], strict=True))
            places = [*(c.place() for c in carries), *rows]
            with f.under(on):
                f.block(body, f.usable(places, body.results, instr.outs[:-1]))
            for c, r, place in zip(carries, body.results, places, strict=False):
                c.set(r, place, on)
            for o, r, row in zip(instr.outs[count:-1], body.results[count:], rows, strict=True):
                f.put(r, o, row)
            step.set(f.assign(f"add nsw i64 {i}, 1"))
        outs = [*(c.get() for c in carries), *ys, self.taken(step.get())]
        f.values.update(zip(instr.outs, outs, strict=True))

    def start(self) -> None:
        """Before the first step."""

    def test_step(self, end: str) -> str | None:
        """Leave the loop where the test fails; who runs the step."""
        self.f.block(self.test, [None])
        go_on(self.f, self.f.atom(self.test.results[0]), end)
        return None

    def taken(self, steps: str) -> str:
        """The number of steps, of which the loop has run so many."""
        return steps


class Rewind:
    """The reverse of a scan with a few carries kept, by the binomial schedule, being written.

    Place k holds the carries at position[k]. While steps are left before `end`: from the last place, run on
    to where the schedule says and keep the carries there; or, where a single step or no place is left, run on
    to the last step and reverse it.
    """

    def __init__(self, f: Writer, instr: Instr) -> None:
        self.f, self.instr = f, instr
        self.step, self.back = instr.blocks
        steps = instr.steps
        self.n, self.reverse, self.slots = steps.n, steps.reverse, steps.slots
        k = len(self.step.results)
        args = carried(instr)
        self.initial, self.cotangents = args[:k], args[k:]
        self.state = [_Carry(f, v, instr) for v in self.step.params[1:]]
        self.cts = [_Carry(f, v, instr) for v in self.back.params[1 + k :]]
        self.kept = [self._places(f.bytes_of(c.v)) for c in self.state]
        self.positions = self._places(8)
        self.end, self.top, self.at = (Cell(f, "i64") for _ in range(3))

    def _places(self, size: int) -> str:
        return self.f.room(self.slots * size, self.instr.loc)

    def _slot(self, k: int, top: str) -> str:
        f = self.f
        offset = f.assign(f"mul i64 {top}, {f.bytes_of(self.state[k].v)}")
        return f.assign(f"getelementptr inbounds i8, ptr {self.kept[k]}, i64 {offset}")

    def _position(self, top: str) -> str:
        return self.f.assign(f"getelementptr inbounds i64, ptr {self.positions}, i64 {top}")

    def _keep(self, top: str, position: str, values: Sequence[str]) -> None:
        f = self.f
        f.emit(f"store i64 {position}, ptr {self._position(top)}")
        for k, (c, value) in enumerate(zip(self.state, values, strict=True)):
            f.keep(c.v, value, self._slot(k, top))

    def run(self) -> None:
        f = self.f
        self.number = counts(self.instr)
        self.count = f.steps(self.number[0]) if self.number else str(self.n)
        self.end.set(self.count)
        self.top.set("0")
        initial = [f.like(a, c.v) for a, c in zip(self.initial, self.state, strict=True)]
        self._keep("0", "0", initial)
        for c, a in zip(self.cts, self.cotangents, strict=True):
            c.start(f.like(a, c.v))
        with _loop(f) as (head, done):
            end = self.end.get()
            go_on(f, f.assign(f"icmp sgt i64 {end}, 0"), done)
            ask_in(f, self.instr, end)
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
            self._step(self.back, last, (*self.state, *self.cts), self.cts)
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
            c.start(f.read(c.v, slot))
        self.at.set(start)
        with _loop(f) as (_, done):
            at = self.at.get()
            go_on(f, f.assign(f"icmp slt i64 {at}, {ahead}"), done)
            ask_in(f, self.instr, at)
            self._step(self.step, at, self.state, self.state)
            self.at.set(f.assign(f"add nsw i64 {at}, 1"))

    def _step(
        self, block: Block, position: str, given: Sequence[_Carry], carries: Sequence[_Carry]
    ) -> None:
        index = self._index(position)
        on = self.f.running(index, self.number)
        _run(self.f, block, [index, *(c.get() for c in given)], carries, on)

    def _index(self, position: str) -> str:
        """The loop index of the step at a position."""
        if not self.reverse:
            return position
        last = self.f.assign(f"sub nsw i64 {self.count}, 1")
        return self.f.assign(f"sub nsw i64 {last}, {position}")
