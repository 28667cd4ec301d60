"""A loop over a grid, cut where it crosses an edge.

    build 110 (i) { a[i - 1 mod 110] }       becomes       i = 0 { a[109] }    i in 1 .. 109 { a[i - 1] }

Inside, comparisons with the edges and remainders are known, so that neighbours lie at even distances and the
machine can take many at once. Only innermost loops are cut: for those around them a remainder is no work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..builder import Builder
from ..copying import Copier, lookups
from ..intervals import interval
from ..ir import Atom, Block, Const, Instr, Var, instructions
from ..types import I64, Bool

_MOST_PIECES = 5
_MOST_INSTRUCTIONS = 600  # in all pieces
_SHORTEST = 16  # a loop worth cutting
_COMPARISONS = frozenset({"lt", "le", "eq", "ne"})
_KNOWN_BY_RANGE = _COMPARISONS | {"min", "max", "mod"}
_LOOPS = frozenset({"build", "filter", "scan", "while", "rewind", "call", "host"})


@dataclass(frozen=True)
class Piece:
    """The iterations low .. high - 1 of a loop, whose body has been simplified for them."""

    low: int
    high: int
    body: Block


def pieces(loop: Instr) -> list[Piece]:
    """The pieces of a build over all of its range; none where it is not worth cutting."""
    (body,) = loop.blocks
    if loop.args or loop.attr < _SHORTEST:
        return []
    inside = list(instructions(body))
    if any(i.op in _LOOPS for i in inside):
        return []
    cuts = {c for i in inside for c in _cuts(i, body.params[0], loop.attr) if 0 < c < loop.attr}
    if not cuts or (len(cuts) + 1) * len(inside) > _MOST_INSTRUCTIONS or len(cuts) >= _MOST_PIECES:
        return []
    ends = [0, *sorted(cuts), loop.attr]
    return [Piece(a, b, _simplified(body, a, b)) for a, b in pairwise(ends)]


def _cuts(instr: Instr, i: Var, n: int) -> Iterator[int]:
    """The values of a loop's index at which what an instruction gives may change its form."""
    if instr.op not in _KNOWN_BY_RANGE or instr.args[0].type is not I64:
        return
    x, y = instr.args
    if isinstance(x, Const):
        x, y = y, x
    by = offset(x, i)
    if by is None or not isinstance(y, Const):
        return
    edge, on_the_left = int(y.value) - by, x is instr.args[0]
    match instr.op:
        case "mod" if int(y.value) >= n // 2:
            yield from range(-by % int(y.value), n, int(y.value))
        case "lt" | "le":
            yield edge + ((instr.op == "le") == on_the_left)
        case "min":
            yield edge + 1
        case "max":
            yield edge
        case "eq" | "ne":
            yield from (edge, edge + 1)


def offset(a: Atom, i: Var) -> int | None:
    """The c for which a value is i + c."""
    if a is i:
        return 0
    instr = a.instr if isinstance(a, Var) else None
    if instr is None or instr.op not in {"add", "sub"} or instr.args[0] is not i:
        return None
    c = instr.args[1]
    if not isinstance(c, Const):
        return None
    return int(c.value) if instr.op == "add" else -int(c.value)


def _simplified(body: Block, low: int, high: int) -> Block:
    b = Builder()
    index = b.block.param(I64)
    index.range = low, high - 1
    _Within({body.params[0]: index}).block(body, b)
    return b.block


class _Within(Copier):
    """Copies code, leaving out what is known of integers by their range."""

    def instr(self, instr: Instr, b: Builder) -> None:
        if instr.op in _KNOWN_BY_RANGE:
            known = known_by_range(instr, lookups(self.env, instr.args), b)
            if known is not None:
                self.env[instr.outs[0]] = known
                return
        super().instr(instr, b)

    def _cond(self, instr: Instr, b: Builder) -> None:
        (condition,) = lookups(self.env, instr.args)
        if not isinstance(condition, Const):
            super()._cond(instr, b)
            return
        side = instr.blocks[0 if condition.value else 1]
        for inner in side.instrs:
            self.instr(inner, b)
        self.env.update(zip(instr.outs, lookups(self.env, side.results), strict=True))


def known_by_range(instr: Instr, args: Sequence[Atom], b: Builder) -> Atom | None:
    """What the ranges of its operands say of an instruction on integers, if anything."""
    if instr.op not in _KNOWN_BY_RANGE or args[0].type is not I64:
        return None
    op, (x, y) = instr.op, args
    (a, c), (d, e) = interval(x), interval(y)
    if op == "mod":
        if d != e or d <= 0 or a // d != c // d:
            return None
        return b.prim("sub", x, Const(a // d * d, I64))
    if op in {"min", "max"}:
        first, second = (x, y) if op == "min" else (y, x)
        return first if c <= d else second if e <= a else None
    return _compared(op, a, c, d, e)


def _compared(op: str, a: int, c: int, d: int, e: int) -> Const | None:
    """A comparison of a value in a .. c with one in d .. e."""
    apart = c < d or e < a
    same = a == c == d == e
    verdicts = {
        "lt": (c < d, a >= e),
        "le": (c <= d, a > e),
        "eq": (same, apart),
        "ne": (apart, same),
    }
    holds, fails = verdicts[op]
    return Const(holds, Bool) if holds or fails else None
