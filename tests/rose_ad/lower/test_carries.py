"""Array carries that a branch changes or leaves as they are, and accumulators that stay clear, against the
interpreter, differences and plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

N = 9
X = np.linspace(-1.0, 1.5, N)


def kept_or_moved(x: Any) -> Any:
    """In some steps the carry is made anew, in others it stays."""

    def step(i: Any, c: Any) -> Any:
        return ra.cond(i % 3 == 1, lambda: c * 1.1 + 0.1, lambda: c)

    return ra.fori_loop(0, 10, step, x)


def two_that_change_places(x: Any) -> Any:
    def step(i: Any, c: Any) -> Any:
        a, b = c
        return ra.cond(i % 2 == 0, lambda: (b, a * b), lambda: (a, b))

    a, b = ra.fori_loop(0, 7, step, (x, x + 1.0))
    return a - 2.0 * b


def one_becomes_the_other(x: Any) -> Any:
    def step(i: Any, c: Any) -> Any:
        a, b = c
        return b, ra.cond(i < 3, lambda: a + b, lambda: b)

    a, b = ra.fori_loop(0, 6, step, (x, 0.5 * x))
    return a * b


def both_sides_make_it(x: Any) -> Any:
    def step(i: Any, c: Any) -> Any:
        d = c * 0.5 + 0.2
        return ra.cond(i % 2 == 0, lambda: d, lambda: d + c)

    return ra.fori_loop(0, 5, step, x)


def what_stays_is_used_after(x: Any) -> Any:
    def step(c: Any, i: Any) -> tuple[Any, Any]:
        d = c * 0.9 + 0.1
        e = ra.cond(i % 2 == 0, lambda: ra.build(N, lambda k: d[k] + c[N - 1 - k]), lambda: d)
        return e, ra.sum(d * c)

    c, sums = ra.scan(step, x, np.arange(6))
    return c + ra.sum(sums)


def stacked(x: Any) -> Any:
    def step(c: Any, i: Any) -> tuple[Any, Any]:
        return ra.cond(i % 2 == 0, lambda: c + 0.1 * c * c, lambda: c), c

    c, all_of_them = ra.scan(step, x, np.arange(6))
    return c + ra.sum(all_of_them * all_of_them, axis=0)


def scan_in_a_scan(x: Any) -> Any:
    def inner(j: Any, c: Any) -> Any:
        return ra.cond(j == 1, lambda: c * 1.05, lambda: c)

    return ra.fori_loop(0, 3, lambda i, c: ra.fori_loop(0, 4, inner, c) + 0.01, x)


def sometimes_hit(x: Any) -> Any:
    """An accumulator that is added to in some steps only, so that it must be cleared after these."""

    def step(i: Any, c: Any) -> Any:
        push, turn = ra.accum(N), ra.accum(N)
        for k in ra.range(N):
            with ra.when((c[k] > 0.4) & (i % 3 == 0)):
                push[k] += 0.2 * c[k] * c[k]
                turn[(k + 1) % N] -= 0.1 * c[k]
        for k in ra.range(N):
            with ra.when((c[k] < -0.4) & (i % 2 == 0)):
                turn[k] += 0.3 * c[k]
        return c + push.freeze() + turn.freeze()

    return ra.fori_loop(0, 8, step, x)


def views_of_it_are_results(x: Any) -> Any:
    def step(c: Any, i: Any) -> tuple[Any, Any]:
        push = ra.accum((3, 3))
        for k in ra.range(N):
            with ra.when((c[k] > 0.0) & (i % 2 == 0)):
                push[k // 3, k % 3] += c[k]
        grid = push.freeze()
        return c * 0.9 + ra.reshape(grid, (N,)) * 0.1, grid[1]

    c, rows = ra.scan(step, x, np.arange(5))
    return c + ra.sum(rows)


PROGRAMS: list[Callable[[Any], Any]] = [
    kept_or_moved, two_that_change_places, one_becomes_the_other, both_sides_make_it,
    what_stays_is_used_after, stacked, scan_in_a_scan, sometimes_hit, views_of_it_are_results,
]  # fmt: skip
each = pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)


@each
def test_values(f: Callable[[Any], Any]) -> None:
    compiled = ra.fn(f)
    program = compiled.lower(X).program.function
    for x in (X, -X, X * 0.1):  # again and again: nothing is left over
        np.testing.assert_allclose(
            compiled(x), ra.interpret(program, [x])[0], rtol=1e-13, atol=1e-15
        )


@each
def test_gradients(f: Callable[[Any], Any]) -> None:
    weights = np.linspace(1.0, 2.0, N)

    def loss(x: Any) -> Any:
        return ra.sum(f(x) * weights)

    gradient = ra.grad(loss)
    program = gradient.lower(X).program.function
    h = 1e-6
    for x in (X, X * 0.5 - 0.2):
        found = gradient(x)
        np.testing.assert_allclose(found, ra.interpret(program, [x])[0], rtol=1e-12, atol=1e-13)
        value = ra.fn(loss)
        slopes = [(value(x + h * e) - value(x - h * e)) / (2 * h) for e in np.eye(N)]
        np.testing.assert_allclose(found, slopes, rtol=1e-6, atol=1e-6)


@each
def test_in_lanes(f: Callable[[Any], Any]) -> None:
    batch = X * np.linspace(-1.0, 1.0, 6)[:, None] + 0.05
    compiled = ra.fn(f)
    np.testing.assert_allclose(ra.vmap(f)(batch), [compiled(x) for x in batch], rtol=1e-13)
    gradient = ra.grad(lambda x: ra.sum(f(x)))
    expected = [gradient(x) for x in batch]
    np.testing.assert_allclose(ra.vmap(gradient)(batch), expected, rtol=1e-12, atol=1e-13)


# ------------------------------------------------- an array that one side leaves where it is wanted


def each_side_passes_it_on_elsewhere(x: Any) -> Any:
    d = ra.build(N, lambda k: ra.tanh(x[k]))
    return ra.cond(x[0] > 0, lambda: (x * 2.0, d), lambda: (d, ra.build(N, lambda k: x[N - 1 - k])))


def one_side_passes_on_a_part_of_it(x: Any) -> Any:
    d = ra.build(2, lambda i: ra.build(N, lambda k: ra.tanh(x[k] + 0.5 * ra.to_real(i))))
    other = ra.build(2, lambda i: ra.build(N, lambda k: x[N - 1 - k]))
    return ra.cond(x[0] > 0, lambda: (x * 2.0, d), lambda: (d[1], other))


def one_side_passes_it_through_a_loop(x: Any) -> Any:
    d = ra.build(N, lambda k: ra.tanh(x[k]))

    def halved(c: Any) -> Any:
        return ra.while_loop(lambda c: c[0] > 2.0, lambda c: c / 2.0, c, max_steps=3)

    return ra.cond(
        x[0] > 0, lambda: (x * 2.0, d), lambda: (halved(d), ra.build(N, lambda k: x[N - 1 - k]))
    )


@pytest.mark.parametrize(
    "f",
    [
        each_side_passes_it_on_elsewhere,
        one_side_passes_on_a_part_of_it,
        one_side_passes_it_through_a_loop,
    ],
    ids=lambda f: f.__name__,
)
def test_the_other_side_does_not_write_over_it(f: Callable[[Any], Any]) -> None:
    compiled = ra.fn(f)
    program = compiled.lower(X).program.function
    for x in (X, -X):
        for a, b in zip(compiled(x), ra.interpret(program, [x]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


def test_a_branch_that_was_not_taken_copies_nothing() -> None:
    """The transposed step adds to its cotangent in the branch of the steps that did anything only."""

    def step(i: Any, c: Any) -> Any:
        push = ra.accum(N)
        for k in ra.range(N):
            with ra.when(c[k] > 0.4):
                push[k] += 0.2 * c[k] * c[(k + 1) % N]
        return c + push.freeze()

    text = ra.grad(lambda x: ra.sum(ra.fori_loop(0, 8, step, x) ** 2)).lower(X).ir
    backward = text[text.index(".lin.T") :]
    scan = backward[backward.index("scan") :]
    assert "accum" not in scan[: scan.index("cond")]
