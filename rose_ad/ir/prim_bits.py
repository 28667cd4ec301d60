"""The bits of Ints, in two's complement: and, or, exclusive or, and shifts.

A shift by 64 or more, or by less than 0, shifts everything out, as in numpy.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any


def shift_left(a: int, by: int) -> int:
    return a << by if 0 <= by < 64 else 0


def shift_right(a: int, by: int) -> int:
    return a >> (by if 0 <= by < 64 else 63)


_SHIFT_LEFT = """{r}.o = icmp ult i64 {1}, 64
{r}.k = select i1 {r}.o, i64 {1}, i64 0
{r}.s = shl i64 {0}, {r}.k
{r} = select i1 {r}.o, i64 {r}.s, i64 0"""
_SHIFT_RIGHT = """{r}.o = icmp ult i64 {1}, 64
{r}.k = select i1 {r}.o, i64 {1}, i64 63
{r} = ashr i64 {0}, {r}.k"""

# name: its value, and its LLVM form
BITS: dict[str, tuple[Callable[..., Any], str]] = {
    "bit_and": (operator.and_, "{r} = and i64 {0}, {1}"),
    "bit_or": (operator.or_, "{r} = or i64 {0}, {1}"),
    "bit_xor": (operator.xor, "{r} = xor i64 {0}, {1}"),
    "shift_left": (shift_left, _SHIFT_LEFT),
    "shift_right": (shift_right, _SHIFT_RIGHT),
}
