"""What the ranges of integers say of an instruction on them."""

from __future__ import annotations

from collections.abc import Sequence

from ...ir.builder import Builder
from ...ir.core import Atom, Const, Instr
from ...ir.intervals import interval
from ...ir.types import I64, Bool

_OPS = frozenset({"lt", "le", "eq", "ne", "min", "max", "mod"})


def known_by_range(instr: Instr, args: Sequence[Atom], b: Builder) -> Atom | None:
    """What the ranges of its operands say of an instruction on integers, if anything."""
    if instr.op not in _OPS or args[0].type is not I64:
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
