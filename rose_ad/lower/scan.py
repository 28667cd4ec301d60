"""Scans: what the carries of a step lie in.

A scalar is a phi. An array is never copied from step to step: it is read where it is and made where the next
step reads it. That is the other of two buffers, or, where the carries are stacked as the reverse pass wants
them, the next row of the stack.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.core import Atom, Instr, Var
from ..ir.queries import carried, counts
from ..ir.types import Scalar
from .interrupts import ask_in
from .loops import Loop
from .writer import Writer


class _Register:
    """A scalar carry. `now` is its value in this step, `place` where an array for the next is made."""

    place: str | None = None

    def __init__(self, f: Writer, c: Var, start: str) -> None:
        self.f, self.c, self.start = f, c, start

    def enter(self, loop: Loop) -> None:
        """Begin the loop."""
        self.loop = loop
        self.now, self.number = loop.phi(self.f.kind(self.c), self.start)

    def move(self, index: str) -> None:
        """Find the place for the next step's value; `index` is that of this one."""

    def leave(self, r: Atom, on: str | None) -> None:
        """End the step, of those who are `on`, that made `r`."""
        made = self.place or self.f.like(r, self.c)
        self.loop.set(self.number, self.f.carry_on(self.c, made, self.now, on))


class _Buffered(_Register):
    """An array carry that moves between two buffers."""

    def __init__(self, f: Writer, c: Var, start: str, loc: int) -> None:
        super().__init__(f, c, start)
        self.buffers = f.slot(f.bytes_of(c), loc), f.slot(f.bytes_of(c), loc)

    def enter(self, loop: Loop) -> None:
        super().enter(loop)
        self.place, self.spare = loop.phi("ptr", self.buffers[0])
        self.other, self.last = loop.phi("ptr", self.buffers[1])

    def leave(self, r: Atom, on: str | None) -> None:
        f = self.f
        assert self.place is not None
        if r not in f.staying:
            super().leave(r, on)
            self.loop.set(self.spare, self.other)
            self.loop.set(self.last, self.place)
            return
        value = f.atom(r)
        self.loop.set(self.number, value)
        moved = f.assign(f"icmp ne ptr {value}, {self.now}")
        spare = f.assign(f"select i1 {moved}, ptr {self.other}, ptr {self.place}")
        last = f.assign(f"select i1 {moved}, ptr {self.place}, ptr {self.other}")
        self.loop.set(self.spare, spare)
        self.loop.set(self.last, last)


class _Stacked(_Register):
    """An array carry that moves along a stack of its values; the last value has a place of its own."""

    def __init__(self, f: Writer, instr: Instr, c: Var, start: str, stack: tuple[Var, str]) -> None:
        self.n, self.reverse = instr.steps.n, instr.steps.reverse
        first = f.row(*stack, str(self.n - 1 if self.reverse else 0))
        f.keep(c, start, first)
        super().__init__(f, c, first)
        self.stack, self.end = stack, f.slot(f.bytes_of(c), instr.loc)

    def move(self, index: str) -> None:
        f = self.f
        following = f.assign(f"add nsw i64 {index}, {-1 if self.reverse else 1}")
        row = f.row(*self.stack, following)
        more = f.assign(f"icmp ult i64 {following}, {self.n}")
        self.place = f.assign(f"select i1 {more}, ptr {row}, ptr {self.end}")


def lower_scan(f: Writer, instr: Instr) -> None:
    """Write a scan."""
    (body,) = instr.blocks
    params = body.params[1:]
    count = len(params)
    number = counts(instr)
    steps = f.steps(number[0]) if number else str(instr.steps.n)
    ys = [f.place(o, instr.loc) for o in instr.outs[count:]]
    stacks = _stacks(instr, ys)
    carries = [
        _carry(f, instr, c, f.like(a, c), stacks.get(c))
        for c, a in zip(params, carried(instr), strict=True)
    ]
    loop = Loop(f, "0", steps)
    for c, carry in zip(params, carries, strict=True):
        carry.enter(loop)
        f.values[c] = carry.now
    index = loop.index
    ask_in(f, instr, index)
    if instr.steps.reverse:
        last = f.assign(f"sub nsw i64 {steps}, 1")
        index = f.assign(f"sub nsw i64 {last}, {index}")
    f.values[body.params[0]] = index
    for carry in carries:
        carry.move(index)
    in_place = {stack for _, stack in stacks.values()}
    rows = [
        None if y in in_place else f.row(o, y, index)
        for o, y in zip(instr.outs[count:], ys, strict=True)
    ]
    places = [*(carry.place for carry in carries), *rows]
    on = f.running(index, number)
    if on is None:
        for carry, r, o in zip(carries, body.results, instr.outs, strict=False):
            if isinstance(carry, _Buffered) and isinstance(r, Var) and _may_stay(f, r, carry.c, o):
                f.staying[r] = carry.c
    with f.under(on):
        f.block(body, f.usable(places, body.results, instr.outs))
    for r, o, place in zip(body.results, instr.outs, places, strict=True):
        if place is not None and r not in f.staying:
            f.put(r, o, place)
    for carry, r in zip(carries, body.results, strict=False):
        carry.leave(r, on)
    loop.close()
    f.values.update(zip(instr.outs, [*(carry.now for carry in carries), *ys], strict=True))


def _may_stay(f: Writer, r: Var, c: Var, o: Var) -> bool:
    """Whether what a carry becomes is made by a branch, one side of which leaves it as it is."""
    cond = r.instr
    if cond is None or cond.op != "cond" or r.block is not c.block or not f.is_branch(cond):
        return False
    k = cond.outs.index(r)
    sides = [side.results[k] for side in cond.blocks]
    same = f.made_in_place(c, o) and f.made_in_place(r, o)
    return same and c in sides and any(s is not c and f.made_in_place(s, o) for s in sides)


def _carry(f: Writer, instr: Instr, c: Var, start: str, stack: tuple[Var, str] | None) -> _Register:
    if isinstance(c.type, Scalar):
        return _Register(f, c, start)
    if stack is not None:
        return _Stacked(f, instr, c, start, stack)
    return _Buffered(f, c, start, instr.loc)


def _stacks(instr: Instr, ys: Sequence[str]) -> dict[Var, tuple[Var, str]]:
    """Where the stacks lie of array carries whose values at the start of each step are among the ys."""
    steps = instr.steps
    if steps.n == 0 or (steps.counted and steps.reverse):  # where it starts is not known
        return {}
    body = instr.blocks[0]
    params = body.params[1:]
    out: dict[Var, tuple[Var, str]] = {}
    count = len(params)
    for r, o, y in zip(body.results[count:], instr.outs[count:], ys, strict=True):
        if isinstance(r, Var) and r in params and not isinstance(r.type, Scalar):
            out.setdefault(r, (o, y))
    return out
