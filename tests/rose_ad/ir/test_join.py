"""Arrays end to end and parts of them, `join` and `slice`: as text, interpreted, verified, on the machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rose_ad.ad.forward import forward
from rose_ad.ad.linearize import linearize
from rose_ad.ad.transpose import transpose
from rose_ad.api.pipeline import compiled
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Function, Span
from rose_ad.ir.interp import interpret
from rose_ad.ir.parsing import parse
from rose_ad.ir.text import show_program
from rose_ad.ir.types import F64, I64, Array, Bool, Ref, Scalar
from rose_ad.ir.verify import Invalid, verify

A, S, B = np.array([1.0, -2.0, 0.5]), 3.0, np.array([4.0, 0.25])


def joined() -> Function:
    """(a, s, b) -> entries 1 to 4 of them end to end, times 2; and all of them."""
    b = Builder()
    a, s, more = (b.block.param(t) for t in (Array(3, F64), F64, Array(2, F64)))
    whole = b.join([a, s, more])
    part = b.slice(whole, Span(1, 4))
    inner = b.loop(0, 3)
    twice = inner.prim(
        "mul", inner.index(part, inner.block.params[0]), inner.index(whole, b.zeros(I64))
    )
    inner.block.results = (twice,)
    b.block.results = (*b.build(4, inner.block), whole)
    return Function("joined", b.block, 0)


def expected(a: Any, s: Any, b: Any) -> tuple[Any, Any]:
    whole = np.concatenate([a, [s], b])
    return whole[1:5] * whole[0], whole


def test_values() -> None:
    f = joined()
    verify(f)
    for found in (interpret(f, [A, S, B]), compiled(f)([A, np.asarray(S), B])):
        for x, y in zip(found, expected(A, S, B), strict=True):
            np.testing.assert_array_equal(x, y)


def test_the_text_comes_back() -> None:
    text = show_program(joined())
    assert "= join %0, %1, %2" in text and "from 1 for 4" in text
    assert show_program(parse(text)) == text


def test_derivatives_agree() -> None:
    f, mask = joined(), (True, True, True)
    tangents = [np.array([0.3, 1.0, -1.0]), -0.7, np.array([2.0, 5.0])]
    cts = [np.array([1.0, -1.0, 0.5, 2.0]), np.array([1.0, 2.0, -3.0, 0.5, 4.0, -2.0])]
    jvp, _, _ = forward(f, mask)
    found = interpret(jvp, [A, S, B, *tangents])
    h = 1e-6
    moved = [[x + k * h * t for x, t in zip((A, S, B), tangents, strict=True)] for k in (1, -1)]
    for d, up, down in zip(found[2:], expected(*moved[0]), expected(*moved[1]), strict=True):
        np.testing.assert_allclose(d, (up - down) / (2 * h), rtol=1e-8, atol=1e-8)
    derivative = linearize(f, mask)
    outs = interpret(derivative.fwd, [A, S, B])
    kept = [(A, S, B)[k] for k in derivative.kept_params] + outs[2:]
    lin_mask = tuple(k < 3 for k in range(len(derivative.lin.params)))
    back = transpose(derivative.lin, lin_mask)
    verify(back)
    of_a, of_b = np.zeros(3), np.zeros(2)
    (of_s,) = interpret(back, [*kept, *cts, of_a, of_b])
    forward_way = sum(np.vdot(c, d) for c, d in zip(cts, found[2:], strict=True))
    reverse_way = np.vdot(of_a, tangents[0]) + of_s * tangents[1] + np.vdot(of_b, tangents[2])
    assert reverse_way == pytest.approx(forward_way, rel=1e-12)


def test_a_part_of_a_reference_is_added_to() -> None:
    b = Builder()
    ref = b.block.param(Ref(Array(5, F64)))
    more = b.block.param(Array(2, F64))
    b.addto(b.slice(b.slice(ref, Span(1, 4)), Span(1, 2)), more)
    f = Function("adding", b.block, 0)
    verify(f)
    for run in (lambda x: interpret(f, [x, B]), lambda x: compiled(f)([x, B])):
        into = np.ones(5)
        run(into)
        np.testing.assert_array_equal(into, [1.0, 1.0, 5.0, 1.25, 1.0])


@pytest.mark.parametrize("t", [I64, Bool])
def test_integers_and_truths(t: Scalar) -> None:
    b = Builder()
    x, y = b.block.param(Array(2, t)), b.block.param(t)
    b.block.results = (b.join([y, x, x]),)
    f = Function("mixed", b.block, 0)
    values = np.array([0, 1], t.dtype), np.array(1, t.dtype)
    want = np.array([1, 0, 1, 0, 1], t.dtype)
    np.testing.assert_array_equal(interpret(f, [values[0], values[1].item()])[0], want)
    (found,) = compiled(f)(list(values))
    assert found.dtype == t.dtype
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("span", [Span(0, 4), Span(-1, 2), Span(3, 1), Span(1, -1)])
def test_entries_that_are_not_there(span: Span) -> None:
    b = Builder()
    a = b.block.param(Array(3, F64))
    b._append("slice", (a,), span)
    with pytest.raises(Invalid, match="entries that are not there"):
        verify(Function("f", b.block, 0))
