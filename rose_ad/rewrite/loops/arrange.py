"""What is done to a program before it is lowered: loops that suit the machine.

Loops are joined (fusion.py), parted (fission.py), cut into chunks (rank_updates.py) and into blocks
(row_products.py, row_blocks.py, column_blocks.py), made before those over time (invariant.py), and written once
more for where there is nothing to add (zero_sums.py). It is done last,
since derivatives are better taken of small loops: what is remembered of a loop is what it makes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ir.builder import Builder
from ...ir.copying import Copier, lookup, lookups
from ...ir.core import Atom, Block, Const, Function, Instr, Var
from ...ir.in_force import under
from ...ir.queries import instructions, is_plain
from ...ir.types import I64, Bool, Scalar
from ..rules import is_literal
from .column_blocks import in_column_blocks
from .fission import in_two
from .fusion import Group, groups
from .invariant import home_of
from .outline import Outliner
from .rank_updates import in_chunks
from .row_blocks import in_row_blocks
from .row_products import in_row_products
from .zero_sums import (
    carries_without_minus_zero,
    numbered,
    sums_read,
    untouched,
    without_minus_zero,
)


def arranged(function: Function, lanes: bool = False) -> Function:
    """The function, and what it calls, arranged; in code for `lanes`, whose loops need no vector instructions,
    loops are only joined. Made once."""
    outliner = Outliner()
    # callees first, so that long chains of calls do not recurse
    for f, in_lanes in _callees(function, lanes):
        known = f.derived.get(("arranged", in_lanes))
        if known is None:
            f.derived["arranged", in_lanes] = _arranged(f, in_lanes, outliner)
        else:
            outliner.know(known)
    result: Function = function.derived["arranged", lanes]
    return result


def _callees(function: Function, lanes: bool) -> list[tuple[Function, bool]]:
    """The function and all it calls, callees first, and whether that is in code for lanes."""
    seen: dict[tuple[Function, bool], None] = {}

    def visit(f: Function, in_lanes: bool) -> None:
        if (f, in_lanes) not in seen:
            for call in dict.fromkeys(_calls(f.block, in_lanes)):
                visit(*call)
            seen[f, in_lanes] = None

    visit(function, lanes)
    return list(seen)


def _calls(block: Block, lanes: bool) -> Iterator[tuple[Function, bool]]:
    for instr in block.instrs:
        if instr.op == "call":
            yield instr.callee, lanes
        for inner in instr.blocks:
            yield from _calls(inner, lanes or instr.in_lanes)


def _arranged(function: Function, lanes: bool, outliner: Outliner) -> Function:
    with under(function.schedule):
        block = function.schedule.run("lowered", function.name, function.block, lanes)
        if block is function.block:
            return function
        if lanes:
            return Function(function.name, block, function.loc)
        return outliner.function(function.name, block, function.loc)


def arrange(block: Block, lanes: bool) -> Block | None:
    """A copy of a function's block, and of what it calls, with its loops arranged; None where it has none."""
    if not any(i.op in {"build", "call"} for i in instructions(block)):
        return None
    b = Builder()
    _Arranger({p: b.block.param(p.type) for p in block.params}, lanes).block(block, b)
    return b.block


class _Arranger(Copier):
    def __init__(self, env: dict[Var, Var], lanes: bool) -> None:
        super().__init__(dict(env))
        self.lanes = lanes
        self.groups: dict[Instr, Group] = {}  # by each loop of a group
        self.reading: set[Var] = set()  # arrays of which there is the row that is asked for
        self.sums: dict[Var, list[Var]] = {}  # those that are zero where these numbers are
        self.zeros: set[Var] = set()  # arrays known to be zero
        self.step: Var | None = None  # the index of the loop whose carries these are
        self.unsigned: set[Var] = set()  # carries without -0.0 in all steps but the first
        self.numbers: dict[tuple[object, ...], int] = {}  # see `numbered`
        self.made: dict[tuple[int, int], Atom] = {}  # arrays by length and number of a row

    def block(self, block: Block, b: Builder, keep: object = None) -> None:
        for group in groups(block):
            self.groups.update(dict.fromkeys(group.loops, group))
        self.sums.update(untouched(block))
        outside = len(self.made)
        super().block(block, b)
        while len(self.made) > outside:  # what is in sight outside the block stays
            self.made.popitem()

    def instr(self, instr: Instr, b: Builder) -> None:
        group = self.groups.get(instr)
        if group is None and is_plain(instr) and sums_read([instr], self.sums):
            group = Group([instr], set(instr.outs), list(instr.outs))
        if group is not None:
            if instr is group.last:
                b.loc = instr.loc
                self._group(group, b)
            return
        if instr.op == "add" and self.zeros and self._add(instr):
            return
        b = home_of(instr, b, self.env)
        products = None if self.lanes else in_row_products(instr)
        new = products or (None if self.lanes else self._better(instr))
        if new is None:
            super().instr(instr, b)
            return
        for inner in new.instrs:
            if products:
                self.instr(inner, b)
            else:
                super().instr(inner, b)  # which is as it is to be, but for the blocks inside it
        self.env.update(zip(instr.outs, lookups(self.env, new.results), strict=True))

    def _better(self, instr: Instr) -> Block | None:
        if instr.op == "build":
            return in_two(instr) or in_row_blocks(instr) or in_column_blocks(instr)
        return in_chunks(instr) if instr.op == "scan" else None

    def _group(self, group: Group, b: Builder) -> None:
        """The loops of a group as one, or, where they read sums that may be zero, as one for each case."""
        sums = sums_read(group.loops, self.sums)
        if not sums:
            for o, number in zip(group.kept, self._joined(group, b), strict=True):
                if number is not None:
                    self.made.setdefault((group.last.length, number), lookup(self.env, o))
            return
        some: Atom = Const(False, Bool)
        for kept in dict.fromkeys(n for s in sums for n in self.sums[s]):
            some = b.prim("or", some, b.prim("ne", lookup(self.env, kept), Const(0, I64)))
        if self.step is not None and self.unsigned:
            some = b.prim("or", some, b.prim("eq", lookup(self.env, self.step), Const(0, I64)))
        sides = b.branch(), b.branch()
        for side, zeros in zip(sides, ((), sums), strict=True):
            outside, self.zeros = self.zeros, {*self.zeros, *zeros}
            self._joined(group, side)
            side.block.results = lookups(self.env, group.kept)
            self.zeros = outside
        outs = b.cond(some, sides[0].block, sides[1].block)
        self.env.update(zip(group.kept, outs, strict=True))

    def _joined(self, group: Group, b: Builder) -> list[int | None]:
        """The loops of a group as one; the numbers of its rows."""
        inner = b.loop(0, group.last.length - 1)
        outside, self.reading = self.reading, set()
        for loop in group.loops:
            (body,) = loop.blocks
            self.env[body.params[0]] = inner.block.params[0]
            for instr in body.instrs:
                self.instr(instr, inner)
            self.env.update(zip(loop.outs, lookups(self.env, body.results), strict=True))
            self.reading.update(loop.outs)
        self.reading = outside
        rows = inner.block.results = lookups(self.env, group.kept)
        numbers = numbered(inner.block, self.numbers)
        known = [None if k is None else self.made.get((group.last.length, k)) for k in numbers]
        inner.block.results = tuple(r for r, k in zip(rows, known, strict=True) if k is None)
        outs = iter(b.build(group.last.length, inner.block))
        made = [next(outs) if k is None else k for k in known]
        self.env.update(zip(group.kept, made, strict=True))
        return numbers

    def _add(self, instr: Instr) -> bool:
        """Leave out adding 0.0 to what is not -0.0; whether that is what the instruction does."""
        for x, y in (instr.args, instr.args[::-1]):
            if is_literal(lookup(self.env, y), 0.0) and without_minus_zero(x, self.unsigned):
                self.env[instr.outs[0]] = lookup(self.env, x)
                return True
        return False

    def _scan(self, instr: Instr, b: Builder) -> None:
        outside = self.step, self.unsigned
        self.step, self.unsigned = None, set()
        if not instr.steps.reverse:
            self.step, self.unsigned = (
                instr.blocks[0].params[0],
                carries_without_minus_zero(instr),
            )
        super()._scan(instr, b)
        self.step, self.unsigned = outside

    def _index(self, instr: Instr, b: Builder) -> None:
        (out,) = instr.outs
        if instr.args[0] in self.zeros:
            if isinstance(out.type, Scalar):
                self.env[out] = Const(0, out.type)
            else:
                self.zeros.add(out)
        elif instr.args[0] in self.reading:
            self.env[instr.outs[0]] = lookup(self.env, instr.args[0])
        else:
            super()._index(instr, b)

    def _build(self, instr: Instr, b: Builder) -> None:
        outside, self.lanes = self.lanes, self.lanes or instr.in_lanes
        super()._build(instr, b)
        self.lanes = outside

    def _call(self, instr: Instr, b: Builder) -> None:
        args = lookups(self.env, instr.args)
        outs = b.call(instr.callee.derived["arranged", self.lanes], args)
        self.env.update(zip(instr.outs, outs, strict=True))
