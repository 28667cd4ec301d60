"""Bounds of integer values, as far as they follow from literals, loop ranges and a few operations."""

from __future__ import annotations

from .ir import Atom, Const, Instr, Steps
from .types import I64

Interval = tuple[int, int]

EVERYTHING: Interval = (-(2**63), 2**63 - 1)
_DEPTH = 12  # how far back definitions are followed


def interval(a: Atom, depth: int = _DEPTH) -> Interval:
    """Least and greatest value that the integer `a` can have."""
    if isinstance(a, Const):
        return (a.value, a.value) if a.type is I64 else EVERYTHING
    if a.range is not None:
        return a.range
    if a.instr is None or depth == 0:
        return EVERYTHING
    low, high = _of_instruction(a.instr, depth - 1)
    # arithmetic wraps around: what may leave 64 bits may be anything
    least, greatest = EVERYTHING
    return (low, high) if least <= low and high <= greatest else EVERYTHING


def loop_range(loop: Instr) -> Interval:
    """Least and greatest index of a loop, as it follows from its length or bounds."""
    if loop.op == "build" and loop.args:
        (low, _), (_, high) = map(interval, loop.args)
        return low, high - 1
    n = loop.attr.n if isinstance(loop.attr, Steps) else loop.attr
    return 0, n - 1


def _of_instruction(instr: Instr, depth: int) -> Interval:
    if instr.op == "check":
        _, high = interval(instr.args[0], depth)
        return 0, max(0, min(high, instr.attr - 1))  # a failed check goes on with 0
    if instr.op == "bool_to_i64":
        return 0, 1
    if instr.op not in {"add", "sub", "mul", "min", "max", "mod", "floordiv", "select"}:
        return EVERYTHING
    (a, b), (c, d) = (interval(x, depth) for x in instr.args[-2:])
    match instr.op:
        case "add":
            return a + c, b + d
        case "sub":
            return a - d, b - c
        case "min":
            return min(a, c), min(b, d)
        case "max":
            return max(a, c), max(b, d)
        case "select":
            return min(a, c), max(b, d)
        case "mod" if c == d and c > 0:
            return 0, c - 1
        case "floordiv" if c == d and c > 0:
            return a // c, b // c
        case "mul":
            corners = (a * c, a * d, b * c, b * d)
            return min(corners), max(corners)
    return EVERYTHING
