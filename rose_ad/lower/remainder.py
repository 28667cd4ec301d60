"""Remainders by a literal, as the indices of a periodic grid are.

A remainder takes many instructions, and most such indices are in range already. One that is known to be at most
a period off takes a comparison; any other asks first, with a branch, whether there is anything to do.
"""

from __future__ import annotations

from ..ir.core import Const, Instr
from ..ir.intervals import interval
from .writer import Writer


def lower_remainder(f: Writer, instr: Instr) -> bool:
    """Write a remainder by a positive literal; False, and nothing written, if it is not one."""
    x, by = instr.args
    if not isinstance(by, Const) or by.value <= 1:
        return False
    n, value = int(by.value), f.atom(x)
    low, high = interval(x)
    if 0 <= low and high < 2 * n:
        out = _one_period(f, value, f.assign(f"icmp slt i64 {value}, {n}"), -n)
    elif -n <= low and high < n:
        out = _one_period(f, value, f.assign(f"icmp sge i64 {value}, 0"), n)
    else:
        out = _unless_inside(f, value, n)
    f.values[instr.outs[0]] = out
    return True


def _one_period(f: Writer, value: str, inside: str, by: int) -> str:
    moved = f.assign(f"add nsw i64 {value}, {by}")
    return f.assign(f"select i1 {inside}, i64 {value}, i64 {moved}")


def _unless_inside(f: Writer, value: str, n: int) -> str:
    before, outside, after = f.label, f.fresh("outside"), f.fresh("inside")
    far = f.assign(f"icmp uge i64 {value}, {n}")
    f.branch(far, outside, after, 100)
    f.start(outside)
    rest = f.assign(f"srem i64 {value}, {n}")
    negative = f.assign(f"icmp slt i64 {rest}, 0")
    more = f.assign(f"add i64 {rest}, {n}")
    wrapped = f.assign(f"select i1 {negative}, i64 {more}, i64 {rest}")
    f.emit(f"br label {after}")
    f.start(after)
    return f.assign(f"phi i64 [ {value}, %{before} ], [ {wrapped}, {outside} ]")
