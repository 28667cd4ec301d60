"""Bounds of integers: they hold, and an index within them needs no check."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Atom, Const
from rose_ad.ir.intervals import interval
from rose_ad.ir.prims import TABLE
from rose_ad.ir.types import I64
from tests.support.checks import text

ORDINARY = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def test_a_wrapped_index_needs_no_check() -> None:
    def f(v: Any) -> Any:
        return ra.build(8, lambda i: v[ra.where(i == 0, 7, i - 1)] + v[ra.where(i < 7, i + 1, 0)])

    assert "check" not in text(f, np.ones(8))
    assert "check" in text(
        lambda v: ra.build(8, lambda i: v[ra.where(i == 1, 7, i - 1)]), np.ones(8)
    )


_constant = st.integers(-4, 9)


@given(st.recursive(
    st.just("i") | _constant,
    lambda inner: st.tuples(st.sampled_from(["add", "sub", "mul", "min", "max"]), inner, inner)
    | st.tuples(st.just("select"), st.sampled_from(["eq", "ne", "lt", "le"]), inner, inner, inner, inner),
    max_leaves=12,
))  # fmt: skip
@settings(ORDINARY, max_examples=300)
def test_bounds_hold(expression: Any) -> None:
    """The value of an expression of a loop's index lies within its interval, whatever the index."""
    low, high = -1, 6

    def emit(b: Builder, e: Any) -> Atom:
        if e == "i":
            return b.block.params[0]
        if isinstance(e, int):
            return Const(e, I64)
        name, *rest = e
        if name == "select":
            compare, x, y, *sides = rest
            condition = b.prim(compare, emit(b, x), emit(b, y))
            return b.prim("select", condition, *(emit(b, s) for s in sides))
        return b.prim(name, *(emit(b, x) for x in rest))

    def value(e: Any, i: int) -> int:
        if e == "i":
            return i
        if isinstance(e, int):
            return e
        name, *rest = e
        x = [value(r, i) for r in rest[name == "select" :]]
        if name == "select":
            return x[2] if TABLE[rest[0]].evaluate(x[0], x[1]) else x[3]
        return int(TABLE[name].evaluate(*x))

    inner = Builder().loop(low, high)
    first, last = interval(emit(inner, expression))
    assert all(first <= value(expression, i) <= last for i in range(low, high + 1))
