"""Bounds of integer values, as far as they follow from literals, loop ranges, comparisons and a
few operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from .core import Atom, Const, Instr, Steps, Var
from .ops import VIEWS
from .types import I64

Interval = tuple[int, int]
Facts: TypeAlias = "Mapping[Var, Interval]"

EVERYTHING: Interval = (-(2**63), 2**63 - 1)
NO_FACTS: Facts = {}
_DEPTH = 12  # how far back definitions are followed
_TABLE = 4096  # entries of literal arrays that are looked through


def interval(a: Atom, depth: int = _DEPTH, facts: Facts = NO_FACTS) -> Interval:
    """Least and greatest value that the integer `a` can have, given bounds of some variables."""
    if isinstance(a, Const):
        return (a.value, a.value) if a.type is I64 else EVERYTHING
    if a in facts:
        return facts[a]
    if a.range is not None:
        return a.range
    if a.instr is None or depth == 0:
        return EVERYTHING
    low, high = _of_instruction(a.instr, depth - 1, facts)
    # arithmetic wraps around: what may leave 64 bits may be anything
    least, greatest = EVERYTHING
    return (low, high) if least <= low and high <= greatest else EVERYTHING


def loop_range(loop: Instr) -> Interval:
    """Least and greatest index of a loop, as it follows from its length or bounds."""
    if loop.op in {"build", "filter"} and loop.args:
        (low, _), (_, high) = map(interval, loop.args)
        return low, high - 1
    n = loop.steps.n if isinstance(loop.attr, Steps) else loop.length
    return 0, n - 1


def _of_instruction(instr: Instr, depth: int, facts: Facts) -> Interval:
    if instr.op == "check":
        _, high = interval(instr.args[0], depth, facts)
        return 0, max(0, min(high, instr.length - 1))  # a failed check goes on with 0
    if instr.op == "bool_to_i64":
        return 0, 1
    if instr.op in {"index", "select"}:
        return _of_entries(instr) if instr.op == "index" else _of_select(instr, depth, facts)
    if instr.op not in {"add", "sub", "mul", "min", "max", "mod", "floordiv"}:
        return EVERYTHING
    (a, b), (c, d) = (interval(x, depth, facts) for x in instr.args[-2:])
    match instr.op:
        case "add":
            return a + c, b + d
        case "sub":
            return a - d, b - c
        case "min":
            return min(a, c), min(b, d)
        case "max":
            return max(a, c), max(b, d)
        case "mod" if c == d and c > 0:
            return 0, c - 1
        case "floordiv" if c == d and c > 0:
            return a // c, b // c
        case "mul":
            corners = (a * c, a * d, b * c, b * d)
            return min(corners), max(corners)
    return EVERYTHING


def _of_entries(instr: Instr) -> Interval:
    """Of what is read from a literal array: its least and greatest entry."""
    array: Atom = instr.outs[0]
    while isinstance(array, Var) and array.instr is not None and array.instr.op in VIEWS:
        array = array.instr.args[0]
    if isinstance(array, Const) and 0 < array.value.size <= _TABLE:
        return int(array.value.min()), int(array.value.max())
    return EVERYTHING


def _of_select(instr: Instr, depth: int, facts: Facts) -> Interval:
    sides = []
    for x, holds in zip(instr.args[1:], (True, False), strict=True):
        known = _implied(instr.args[0], holds, min(depth, 2), facts)
        if known is not None:
            sides.append(interval(x, depth, {**facts, **known}))
    if not sides:  # in a loop that is never run
        return EVERYTHING
    return min(low for low, _ in sides), max(high for _, high in sides)


def _implied(condition: Atom, holds: bool, depth: int, facts: Facts) -> Facts | None:
    """What a comparison of integers says of its operands where it holds, or where it does not; None where that
    cannot be."""
    instr = condition.instr if isinstance(condition, Var) else None
    if instr is None or instr.op not in {"eq", "ne", "lt", "le"} or instr.args[0].type is not I64:
        return NO_FACTS
    x, y = instr.args
    (a, b), (c, d) = interval(x, depth, facts), interval(y, depth, facts)
    out: dict[Var, Interval] = {}
    if instr.op in {"lt", "le"}:
        gap = int(instr.op == "lt")
        if holds:  # x + gap <= y
            of_x, of_y = (a, min(b, d - gap)), (max(c, a + gap), d)
        else:  # y + 1 - gap <= x
            of_x, of_y = (max(a, c + 1 - gap), b), (c, min(d, b - 1 + gap))
    elif holds == (instr.op == "eq"):
        of_x = of_y = max(a, c), min(b, d)
    else:
        of_x, of_y = _without(a, b, c, d), _without(c, d, a, b)
    for v, (low, high) in ((x, of_x), (y, of_y)):
        if low > high:
            return None
        if isinstance(v, Var):
            out[v] = low, high
    return out


def _without(low: int, high: int, first: int, last: int) -> Interval:
    """The interval [low, high] without the number `first`, if that is all there is in [first, last]."""
    if first != last:
        return low, high
    return low + (first == low), high - (first == high)
