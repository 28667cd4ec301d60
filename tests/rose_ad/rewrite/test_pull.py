"""Adds at shifted places become reads: in the program's text, and as interpreter and differences have it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.ir.core import Instr
from rose_ad.ir.interp import interpret
from tests.support.checks import all_instructions, checked_gradient, traced

ORDINARY = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


FIELD = np.random.default_rng(1).normal(size=(6, 7))


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


DRAW = np.random.default_rng(7)


def kept(i: Any, by: int, n: int) -> Any:
    return ra.clip(i + by, 0, n - 1)


def adds_elsewhere(f: Any, *args: Any) -> list[Instr]:
    """The adds into entries at other indices than those of loops."""

    def indices(ref: Any) -> Any:
        while ref.instr is not None and ref.instr.op == "index":
            ref, i = ref.instr.args
            yield i

    adds = [i for i in all_instructions(f, *args) if i.op == "addto"]
    return [a for a in adds if any(i not in i.block.params for i in indices(a.args[0]))]


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
