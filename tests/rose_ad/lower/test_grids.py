"""What makes stencils fast: remainders, cuts, parallel loops, adds that become reads, arrays read in place.

Each program gives what the interpreter and differences give, on grids of many lengths.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.core import Instr
from rose_ad.ir.interp import interpret
from rose_ad.ir.queries import callees, instructions
from rose_ad.lower.index_splitting import pieces
from tests.support.checks import checked_gradient, traced

DRAW = np.random.default_rng(7)


def wrapped(i: Any, by: int, n: int) -> Any:
    return (i + by) % n


def kept(i: Any, by: int, n: int) -> Any:
    return ra.clip(i + by, 0, n - 1)


def all_instructions(f: Any, *args: Any) -> list[Instr]:
    return [i for g in callees(traced(ra.fn(f), *args)) for i in instructions(g.block)]


def adds_elsewhere(f: Any, *args: Any) -> list[Instr]:
    """The adds into entries at other indices than those of loops."""

    def indices(ref: Any) -> Any:
        while ref.instr is not None and ref.instr.op == "index":
            ref, i = ref.instr.args
            yield i

    adds = [i for i in all_instructions(f, *args) if i.op == "addto"]
    return [a for a in adds if any(i not in i.block.params for i in indices(a.args[0]))]


# ------------------------------------------------------------------------------------ shifts


def shifted(x: Any, by: int, place: Any) -> Any:
    n = x.shape[0]
    return ra.build(n, lambda i: x[place(i, by, n)] * 2.0)


@pytest.mark.parametrize("place", [wrapped, kept])
@pytest.mark.parametrize("by", [0, 1, -1, 2, -2, 5, 16, 17, 33, -40])
@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 40])
def test_shifts_are_those_of_numpy(n: int, by: int, place: Any) -> None:
    x = DRAW.normal(size=n)
    at = np.arange(n) + by
    expected = 2 * x[at % n if place is wrapped else np.clip(at, 0, n - 1)]
    np.testing.assert_array_equal(ra.fn(lambda x: shifted(x, by, place))(x), expected)


@pytest.mark.parametrize("op", ["lt", "le", "gt", "ge", "eq", "ne"])
@pytest.mark.parametrize("edge", [-1, 0, 3, 19, 20])
def test_every_comparison(op: str, edge: int) -> None:
    tests = {
        "lt": lambda i: i < edge,
        "le": lambda i: i + 1 <= edge,
        "gt": lambda i: i > edge,
        "ge": lambda i: edge <= i - 1,
        "eq": lambda i: i == edge,
        "ne": lambda i: i != edge,
    }
    f = ra.fn(lambda x: ra.build(20, lambda i: ra.where(tests[op](i), x[i], -1.0)))
    x = DRAW.normal(size=20)
    np.testing.assert_array_equal(f(x), np.where(tests[op](np.arange(20)), x, -1.0))


@pytest.mark.parametrize(
    ("n", "entry", "cuts"),
    [
        (20, lambda x, i: x[(i - 1) % 20] + x[(i + 1) % 20], [1, 19]),
        (20, lambda x, i: x[ra.clip(i - 2, 0, 19)], [2]),
        (20, lambda x, i: ra.where(3 > i, x[i], 0.0), [3]),
        (20, lambda x, i: ra.where(i >= 3, x[i], 0.0), [3]),
        (20, lambda x, i: ra.where(i == 7, 1.0, x[i]), [7, 8]),
        (20, lambda x, i: x[(i + 25) % 20], [15]),
        (20, lambda x, i: ra.where(i < 10, x[i], -x[i]), []),  # neither half is most of it
        (20, lambda x, i: ra.where(i * i < 10, x[i], -x[i]), []),
        (6, lambda x, i: x[(i + 1) % 6], []),
    ],
)
def test_loops_are_cut_where_tests_turn(n: int, entry: Any, cuts: list[int]) -> None:
    x = DRAW.normal(size=n)
    found = all_instructions(lambda x: ra.build(n, lambda i: entry(x, i)), x)
    (loop,) = (instr for instr in found if instr.op == "build")
    assert pieces(loop) == list(pairwise([0, *cuts, n]))


# ---------------------------------------------------------------------------- parallel loops


def said_to_be_parallel(f: Any, *args: Any) -> bool:
    return "llvm.loop.parallel_accesses" in ra.fn(f).lower(*args).llvm


def test_llvm_is_told_which_loops_are_parallel() -> None:
    x = DRAW.normal(size=20)
    assert said_to_be_parallel(lambda x: ra.build(20, lambda i: 2 * x[(i + 1) % 20]), x)
    branchy = lambda x, i: ra.cond(x[i] > 0, lambda: ra.sin(x[i]), lambda: x[i])  # noqa: E731
    assert not said_to_be_parallel(lambda x: ra.build(20, lambda i: branchy(x, i)), x)


def test_what_a_row_makes_for_itself_lies_in_one_place() -> None:
    """A table made anew for each row, read at a place that is known at run time only."""
    x, k = DRAW.normal(size=64), DRAW.integers(0, 4, 64)

    def entry(x: Any, i: Any) -> Any:
        table = ra.array([x[i], 2 * x[i], x[63 - i], x[i] * x[i]])
        return table[ra.clip(ra.array(k)[i], 0, 3)] + table[3]

    expected = np.stack([x, 2 * x, x[::-1], x * x])[k, np.arange(64)] + x * x
    f = ra.fn(lambda x: ra.build(64, lambda i: entry(x, i)))
    np.testing.assert_allclose(f(x), expected, rtol=1e-15)
    checked_gradient(lambda x: ra.sum(f(x) ** 2), x)


def test_rows_that_are_arrays_are_parallel_too() -> None:
    x = DRAW.normal(size=(33, 3))
    f = ra.fn(
        lambda x: ra.build(33, lambda i: ra.array([x[i, 1], x[(i + 1) % 33, 0], x[i, 2] + x[0, 2]]))
    )
    expected = np.stack([x[:, 1], np.roll(x[:, 0], -1), x[:, 2] + x[0, 2]], axis=1)
    np.testing.assert_array_equal(f(x), expected)
    checked_gradient(lambda x: ra.sum(f(x) ** 3), x)


def test_adds_at_shifted_places() -> None:
    def f(x: Any) -> Any:
        total = ra.accum(24)
        for i in ra.range(24):
            total[(i + 3) % 24] += x[i] * x[(i + 1) % 24]
        return ra.sum(total.freeze() * np.arange(24))

    x = DRAW.normal(size=24)
    expected = np.sum(np.roll(x * np.roll(x, -1), 3) * np.arange(24))
    assert ra.fn(f)(x) == pytest.approx(expected, rel=1e-12)
    checked_gradient(f, x)


# -------------------------------------------------------------------------------- remainders


@pytest.mark.parametrize("n", [1, 2, 7, 110, 2**40])
def test_remainders_are_those_of_python(n: int) -> None:
    f = ra.fn(lambda x: x % n)
    big = 2**63 - 1
    for x in (0, 1, -1, n - 1, n, -n, n + 1, 5 * n + 3, -5 * n - 3, big, -big - 1):
        assert f(x) == x % n


def test_remainders_of_what_is_nearly_in_range() -> None:
    f = ra.fn(lambda x: ra.build(9, lambda i: x[(i - 9) % 9] + 10 * x[(i + 8) % 9]))
    x = DRAW.normal(size=9)
    np.testing.assert_allclose(f(x), x + 10 * np.roll(x, 1), rtol=1e-15)


# ----------------------------------------------------------------------------- pulled adds


def stencil(x: Any, c: Any, zero: bool) -> Any:
    """Five cells and their coefficients, periodic or with zeros beyond the edges."""
    n, m = x.shape

    def at(i: Any, j: Any, di: int, dj: int) -> Any:
        if not zero:
            return x[(i + di) % n, (j + dj) % m]
        inside = (i + di >= 0) & (i + di < n) & (j + dj >= 0) & (j + dj < m)
        value = x[kept(i, di, n), kept(j, dj, m)]
        if di:
            return ra.where(i > 0 if di < 0 else i < n - 1, value, 0.0)
        if dj:
            return ra.where(j > 0 if dj < 0 else j < m - 1, value, 0.0)
        return ra.where(inside, value, 0.0)

    def row(i: Any) -> Any:
        return ra.build(
            m,
            lambda j: (
                c[0] * at(i, j, -1, 0)
                + c[1] * at(i, j, 1, 0)
                + c[2] * at(i, j, 0, -1)
                + c[3] * at(i, j, 0, 1)
                + x[i, j] ** 2
            ),
        )

    return ra.build(n, row)


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("shape", [(2, 3), (5, 6), (17, 20)])
def test_the_transpose_of_a_stencil_reads(shape: tuple[int, int], zero: bool) -> None:
    x, c = DRAW.normal(size=shape), DRAW.normal(size=4)
    weights = DRAW.normal(size=shape)
    f = lambda x, c: ra.sum(weights * stencil(x, c, zero))  # noqa: E731
    checked_gradient(f, x, c)
    gradient = lambda x: ra.grad(f)(x, c)  # noqa: E731
    if min(shape) > 2:
        assert not adds_elsewhere(gradient, x)


def test_what_is_not_zero_beyond_the_edge_is_not_pulled() -> None:
    def f(x: Any) -> Any:
        return ra.sum(ra.build(20, lambda i: (1.0 + i) * x[kept(i, -3, 20)]))

    x = DRAW.normal(size=20)
    gradient, _ = checked_gradient(f, x)
    assert adds_elsewhere(ra.grad(f), x)
    expected = np.zeros(20)
    np.add.at(expected, np.clip(np.arange(20) - 3, 0, 19), 1.0 + np.arange(20))
    np.testing.assert_allclose(gradient[0], expected, rtol=1e-14)


# ------------------------------------------------------------------- arrays that a step makes


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_step_reads_what_it_made_for_the_next(steps: int, backwards: bool) -> None:
    x, y = DRAW.normal(size=5), DRAW.normal(size=5)

    def f(x: Any, y: Any) -> Any:
        def step(carry: Any, t: Any) -> Any:
            x, y = carry
            x = ra.build(5, lambda i: x[i] + 0.1 * x[i] * y[(i + 1) % 5] + 0.01 * t)
            y = ra.build(5, lambda i: y[i] + x[i] ** 2 * x[(i + 2) % 5])  # the new x, twice
            return (x, y), None

        times = np.arange(steps, dtype=float)
        (x, y), _ = ra.scan(step, (x, y), times[::-1] if backwards else times)
        return ra.sum(x * y)

    checked_gradient(f, x, y)


def test_the_same_where_the_number_of_steps_is_not_known() -> None:
    x = np.array([0.6, -0.4, 0.8, 0.3])

    def f(x: Any) -> Any:
        def step(carry: Any) -> Any:
            x, s = carry
            x = ra.build(4, lambda i: 0.9 * x[i] + 0.1 * x[(i + 1) % 4] ** 2)
            return x, s + ra.sum(x**3)

        return ra.while_loop(lambda c: ra.sum(c[0] ** 2) > 0.1, step, (x, 0.0), max_steps=40)[1]

    checked_gradient(f, x)


def test_what_is_read_is_not_computed_again() -> None:
    def f(x: Any) -> Any:
        def step(_: Any, carry: Any) -> Any:
            x, s = carry
            for _ in range(3):
                x = ra.build(20, lambda i, x=x: 0.5 * x[i] + 0.25 * x[(i + 1) % 20] ** 2)
            return x, ra.build(20, lambda i: s[i] * x[i])

        return ra.sum(ra.fori_loop(0, 4, step, (x, x))[1])

    program = all_instructions(ra.grad(f), DRAW.normal(size=20))
    (back,) = (i for i in program if i.op == "scan" and i.attr.reverse)
    made = [i for i in instructions(back.blocks[0]) if i.op == "build" and i.outs]
    assert len(made) <= 2 + 2  # the first two of the three again, and not the last


def test_compiled_stencils_are_what_the_interpreter_says() -> None:
    x, c = DRAW.normal(size=(18, 19)), DRAW.normal(size=4)
    for zero in (False, True):
        f = ra.fn(lambda x, c, zero=zero: stencil(x, c, zero))
        (oracle,) = interpret(traced(f, x, c), [x, c])
        np.testing.assert_allclose(f(x, c), oracle, rtol=1e-12, atol=1e-14)


def test_rows_are_pulled_whole() -> None:
    """A roll of rows, whose transpose adds rows."""

    def f(u: Any) -> Any:
        return ra.sum((ra.roll(u, 1, axis=0) + ra.roll(u, -1, axis=0) - 2 * u) ** 2)

    checked_gradient(f, DRAW.normal(size=(6, 5)))


def test_what_a_step_gives_besides_carries_is_not_given_to_the_next() -> None:
    """Found at seed 910017713: an array of elementary functions is a row of a scan's ys."""

    def f(c: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            y = ra.tanh(0.3 * c)
            return 2.0 * ra.sin(y), y

        c, ys = ra.scan(step, c, length=4)
        return ra.sum(c) + ra.sum(ys * ys)

    x = DRAW.normal(size=5)
    checked_gradient(f, x)
    ra.check_grads(f, (x,), order=2)
