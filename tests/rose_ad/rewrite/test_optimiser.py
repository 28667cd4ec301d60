"""What makes gradients cheap: pulled adds, remembered values, rows built in place, stacks, code in one sweep.

Each is seen in the program's text, and each program gives what the interpreter and differences give.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Atom, Const
from rose_ad.ir.interp import interpret
from rose_ad.ir.intervals import interval
from rose_ad.ir.parsing import parse
from rose_ad.ir.prims import TABLE
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.types import I64
from rose_ad.ir.verify import verify
from rose_ad.native.jit import _levels
from rose_ad.rewrite.passes.dead import remove_dead
from tests.support.checks import agree, checked_gradient, text

ORDINARY = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


FIELD = np.random.default_rng(1).normal(size=(6, 7))


# --------------------------------------------------------------------------------- pulled adds


def shifted(form: str, i: Any, by: int, n: int) -> Any:
    """i + by mod n for a positive `by` below n, as users write it."""
    match form:
        case "mod":
            return (i + by) % n
        case "less":
            return ra.where(i < n - by, i + by, i + (by - n))
        case "last":
            return ra.where(i == n - 1, 0, i + 1) if by == 1 else (i + by) % n
    return ra.where(i == 0, n - 1, i - 1) if by == n - 1 else (i + by) % n


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["mod", "less", "last", "first"]), st.integers(0, 5), st.integers(0, 6)
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(ORDINARY, max_examples=12)
def test_the_transpose_of_reading_neighbours_reads_neighbours(
    reads: list[tuple[str, int, int]],
) -> None:
    n, m = FIELD.shape

    def f(u: Any) -> Any:
        def entry(i: Any, j: Any) -> Any:
            out: Any = u[i, j] ** 2
            for k, (form, down, right) in enumerate(reads):
                out = out + (k + 1.0) * u[shifted(form, i, down, n), shifted(form, j, right, m)]
            return out

        w = ra.build(n, lambda i: ra.build(m, lambda j: entry(i, j)))
        return ra.sum(w * w)

    _, shown = checked_gradient(f, FIELD)
    assert "check" not in shown
    reverse = shown.split(".lin.T(")[1]
    # into what %a[i] names, with the loop's own index i
    loops = re.findall(r"build (\d+) \((%\d+): I64\)", reverse)
    own = {index for _, index in loops}
    places = dict(re.findall(r"(%\d+) = %\d+\[(%\d+)\]", reverse))
    added = re.findall(r"(%\d+) \+= ", reverse)
    assert added and all(places[ref] in own for ref in added)


def test_adds_that_are_no_shift_stay() -> None:
    for index in (lambda i: (2 * i) % 7, lambda i: 6 - i, lambda i: ra.where(i == 2, 0, i + 1)):

        def f(v: Any, index: Any = index) -> Any:
            return ra.sum(ra.build(6, lambda i: ra.sin(v[index(i)] * v[i])))

        gradient, _ = checked_gradient(f, FIELD[0])
        assert np.isfinite(gradient[0]).all()


def test_pulled_adds_in_loops_that_do_other_things() -> None:
    def f(u: Any, v: Any) -> Any:
        acc = ra.accum((6, 7))
        for i in ra.range(6):
            for j in ra.range(7):
                acc[(i + 1) % 6, (j + 6) % 7] += u[i, j] * v[j]
                acc[i, (j + 2) % 7] += u[i, j]
                with ra.when(j > 3):
                    acc[(i + 1) % 6, j] += v[j]
            for j in ra.range(i):  # not all of a range
                acc[i, (j + 1) % 7] += v[j]
        w = acc.freeze()
        return ra.sum(w * w * w)

    checked_gradient(f, FIELD, FIELD[0])


# -------------------------------------------------------------------------------------- bounds


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


# --------------------------------------------------------------------------- remembered values


def test_elementary_functions_are_computed_once() -> None:
    def of_arrays(v: Any, x: Any) -> Any:
        return ra.sum(ra.tanh(v * x) * ra.exp(v))

    _, shown = checked_gradient(of_arrays, FIELD, 0.3)
    assert shown.count("tanh") == shown.count("exp") == 1

    def in_time(c: Any, w: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            h = ra.tanh(ra.matmul(w, c))
            return h * ra.exp(-c), ra.sum(h)

        c, ys = ra.scan(step, c, length=5)
        return ra.sum(c * c) + ra.sum(ys * ys)

    _, shown = checked_gradient(in_time, FIELD[:, 0], FIELD[:, :6] * 0.3)
    assert shown.count("tanh") == shown.count("exp") == 1


def test_what_a_loop_remembers_is_bounded() -> None:
    """A step that makes far more than it carries computes it again."""

    def f(x: Any, v: Any) -> Any:
        return ra.fori_loop(0, n, lambda i, c: 0.5 * c + ra.sum(ra.tanh(v * c)) / 100, x)

    n, v = 1000, np.linspace(-1, 1, 100)
    memory = ra.value_and_grad(f, (0, 1)).lower(0.3, v).memory
    assert 8 * n <= memory < 8 * n * 6
    n = 9
    checked_gradient(f, 0.3, v)


def test_remembered_values_of_counted_loops() -> None:
    def f(x: Any, v: Any) -> Any:
        c, _ = ra.scan(lambda c, a: (ra.sin(c * a) + c, None), x, v, reverse=True)
        w = ra.fori_loop(0, 4, lambda i, w: ra.tanh(w * c) + w[::-1], v)
        return ra.sum(w * w)

    checked_gradient(f, 0.3, FIELD[0])


# -------------------------------------------------------------------------------------- stacks


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("reverse", [False, True])
def test_array_carries_move_along_their_stack(n: int, reverse: bool) -> None:
    def f(v: Any, w: Any) -> Any:
        def step(c: Any, a: Any) -> Any:
            p, q = c
            return (q, p * a + ra.sin(q)), p

        xs = np.linspace(0.5, 1.0, n)
        (p, q), rows = ra.scan(step, (v, w), xs, reverse=reverse)
        return ra.sum(p * q) + ra.sum(rows * rows)

    checked_gradient(f, FIELD[0], FIELD[1])


def test_a_stack_of_the_carries_is_the_users_too() -> None:
    def f(v: Any) -> Any:
        last, rows = ra.scan(lambda c, _: (c * c - 0.5, c), v, length=4)
        return last, rows

    last, rows = ra.fn(f)(FIELD[0])
    c = FIELD[0]
    for row in rows:
        agree(row, c)
        c = c * c - 0.5
    agree(last, c)


# ------------------------------------------------------------------------------------ dead code


def test_a_carry_that_only_a_test_reads_stays() -> None:
    def f(x: Any) -> Any:
        _, y, _ = ra.while_loop(
            lambda c: c[2] < 3, lambda c: (c[0] * 2.0, c[1] * x, c[2] + 1), (x, x, 0)
        )
        return y

    assert ra.fn(f)(2.0) == 16.0
    assert text(f, 2.0).count("mul") == 1


# ---------------------------------------------------------------------------------------- calls


def test_a_function_called_from_one_place_is_written_there() -> None:
    @ra.fn
    def wave(v: Any, x: Any) -> Any:
        return ra.sin(v * x), ra.cos(x)

    def once(v: Any, x: Any) -> Any:
        w, c = wave(v, x)
        return ra.sum(w) * c

    def twice(v: Any, x: Any) -> Any:
        (w, c), (u, d) = wave(v, x), wave(v, 2.0 * x)
        return ra.sum(w * u) * c * d

    for f, definitions in ((once, 2), (twice, 3)):  # with the entry
        assert ra.fn(f).lower(FIELD[0], 0.3).llvm.count("\ndefine ") == definitions
        checked_gradient(f, FIELD[0], 0.3)


def test_a_called_functions_array_goes_where_its_caller_wants_it() -> None:
    @ra.fn
    def turned(v: Any) -> Any:
        return v[::-1], v, ra.sin(v)

    def f(v: Any) -> Any:
        rows = ra.build(3, lambda i: turned(v * i)[0])
        c, _ = ra.scan(lambda c, _: (turned(c)[2], None), v, length=3)
        a, b, d = turned(c)
        return rows, a, b, d

    rows, a, b, d = ra.fn(f)(FIELD[0])
    v = FIELD[0]
    c = np.sin(np.sin(np.sin(v)))
    for ours, theirs in ((rows, np.outer(range(3), v[::-1])), (a, c[::-1]), (b, c), (d, np.sin(c))):
        agree(ours, theirs)


# --------------------------------------------------------------------------------- straight code


def test_long_straight_code_is_compiled_in_one_sweep() -> None:
    def f(v: Any) -> Any:
        x, total = list(v[:7]), 0.0
        for k in range(700):
            x.append(ra.sin(x[k] * x[k + 3]) + 0.5 * x[k + 6])
            total = total + x[-1]
        return total

    gradient, _ = checked_gradient(f, FIELD[0])
    assert np.abs(gradient[0]).max() > 0
    assert _levels(ra.value_and_grad(f).lower(FIELD[0]).llvm) == (0, 0)
    assert _levels(ra.fn(lambda v: ra.sum(v)).lower(FIELD[0]).llvm) == (2, 2)


def test_products_run_along_memory() -> None:
    r = np.random.default_rng(2)
    for a, b in (((5,), (5, 6)), ((3, 5), (5, 6)), ((2, 3, 5), (5, 6)), ((3, 5), (5,))):
        x, y = r.normal(size=a), r.normal(size=b)
        agree(ra.fn(ra.matmul)(x, y), np.matmul(x, y))
        checked_gradient(lambda p, q: ra.sum(ra.sin(ra.matmul(p, q))), x, y)


def test_adding_to_a_started_accumulator_builds() -> None:
    """What starts as an array and is added to at its own index is made in one loop, rows of arrays too."""

    def shifted(x: Any) -> Any:
        return ra.sum(ra.fori_loop(0, 3, lambda _, c: c + 0.1 * c * c, x)[:, 1])

    x = np.linspace(0.1, 0.8, 12).reshape(6, 2)
    gradient = ra.grad(shifted)
    h = 1e-6
    slope = (ra.fn(shifted)(x + h) - ra.fn(shifted)(x - h)) / (2 * h)
    np.testing.assert_allclose(np.sum(gradient(x)), slope, rtol=1e-8)
    program = gradient.lower(x).program.function
    np.testing.assert_allclose(ra.interpret(program, [x])[0], gradient(x), rtol=1e-13)
    backward = [f for f in callees(program) if f.name.endswith(".T")]
    scans = [i for f in backward for i in instructions(f.block) if i.op == "scan"]
    assert scans and not [i for s in scans for i in instructions(s.blocks[0]) if i.op == "accum"]


def test_what_is_added_after_a_call_that_takes_the_reference() -> None:
    """The call is wanted for its result; what is added to its accumulator later is then wanted whole or not at
    all."""
    program = parse(
        """
        fn g(%0: F64, %1: &[2]F64) -> (F64) {
          %2 = %1[0]
          %2 += %0
          return %0
        }
        fn f(%0: F64) -> (F64) {
          %1 = accum [2]F64
          %2 = %1[1]
          %2 += %0
          %3 = g(%0, %1)
          %4 = mul %0, 2.0
          %2 += %4
          return %3
        }
        """
    )
    remove_dead(program.block)
    verify(program)
    assert interpret(program, [3.0]) == [3.0]
