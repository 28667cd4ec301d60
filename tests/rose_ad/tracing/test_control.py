"""while_loop and switch: what they unroll to, their derivatives, and what is wrong with them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

X = 0.7


V = np.array([0.3, -0.8, 1.1, 0.2, -0.4, 0.9, 0.5])


def close(a: Any, b: Any, tolerance: float = 1e-12) -> None:
    for p, q in zip(ra.flatten(a)[0], ra.flatten(b)[0], strict=True):
        np.testing.assert_allclose(p, q, rtol=tolerance, atol=tolerance)


def doubled(max_steps: int | None) -> Callable[..., Any]:
    def f(x: Any, v: Any) -> Any:
        y, w, _ = ra.while_loop(
            lambda c: c[0] < 5.0,
            lambda c: (c[0] * 1.7 + v[0], ra.sin(c[1] * x) + c[0], c[2] + 1),
            (x, v, 0),
            max_steps=max_steps,
        )
        return y * ra.dot(w, v)

    return f


def unrolled(x: Any, v: Any, most: int = 99) -> Any:
    y, w, start = x, v, X
    for _ in range(most):
        if not start < 5.0:
            break
        y, w, start = y * 1.7 + v[0], ra.sin(w * x) + y, start * 1.7 + V[0]
    return y * ra.dot(w, v)


@pytest.mark.parametrize("max_steps", [None, 0, 1, 2, 3, 4, 50])
def test_while_loops_are_what_they_unroll_to(max_steps: int | None) -> None:
    f = doubled(max_steps)
    plain = functools.partial(unrolled, most=99 if max_steps is None else max_steps)
    u = (0.5, np.cos(V))
    close(ra.fn(f)(X, V), ra.fn(plain)(X, V))
    close(ra.grad(f, (0, 1))(X, V), ra.grad(plain, (0, 1))(X, V))
    close(ra.jvp(f, (X, V), u), ra.jvp(plain, (X, V), u))
    close(ra.hvp(f, (X, V), u), ra.hvp(plain, (X, V), u), 1e-11)


def test_a_while_loop_that_never_starts() -> None:
    f = ra.fn(lambda x: ra.while_loop(lambda c: c < 0.0, lambda c: 1.0 / (c - c), x))
    assert f(2.0) == 2.0 and ra.grad(f)(2.0) == 1.0 and ra.grad(ra.grad(f))(2.0) == 0.0


def test_a_switch_takes_its_index_into_range_and_runs_one_side() -> None:
    sides: list[Any] = [lambda x: x * x, ra.sin, lambda x: 1.0 / (x - x), lambda x: x**3]
    f = ra.fn(lambda k, x: ra.switch(k, sides, x))
    slopes = {-5: 4.0, 0: 4.0, 1: math.cos(2.0), 3: 12.0, 99: 12.0}
    for k, slope in slopes.items():
        assert f(k, 2.0) == ra.fn(sides[min(max(k, 0), 3)])(2.0)
        assert ra.grad(f, 1)(k, 2.0) == pytest.approx(slope)
    assert ra.fn(lambda x: ra.switch(7, sides, x))(2.0) == 8.0
    assert ra.fn(lambda k, x: ra.switch(k, sides[:1], x))(9, 2.0) == 4.0
    jumps = ra.grad(lambda x: ra.fori_loop(0, 4, lambda i, c: ra.switch(i % 2, sides[:2], c), x))
    expected = ra.grad(lambda x: ra.sin(ra.sin(x * x) ** 2))(X)
    assert jumps(X) == pytest.approx(expected)


def test_errors_of_while_and_switch() -> None:
    def raises(words: str, f: Callable[..., Any]) -> None:
        with pytest.raises(ra.RoseError, match=words) as error:
            ra.fn(f)(X)
        assert "test_control.py" in str(error.value)

    raises("must be a Bool", lambda x: ra.while_loop(lambda c: c, lambda c: c, x))
    raises("another structure", lambda x: ra.while_loop(lambda c: c < 1.0, lambda c: (c, c), x))
    raises("becomes", lambda x: ra.while_loop(lambda c: x < 1.0, lambda c: c * V, x))
    raises("max_steps", lambda x: ra.while_loop(lambda c: c < 1, lambda c: c + 1, x, max_steps=-1))
    raises("max_steps", lambda x: ra.while_loop(lambda c: c < 1, lambda c: c + 1, x, max_steps=2.5))
    raises("at least one branch", lambda x: ra.switch(ra.to_int(x), [], x))
    raises("different structures", lambda x: ra.switch(
        ra.to_int(x), [lambda y: y, lambda y: (y, y)], x))  # fmt: skip
    raises("shapes", lambda x: ra.switch(ra.to_int(x), [lambda y: y, lambda y: V * y], x))
    raises("ended", lambda x: [c := [], ra.while_loop(
        lambda a: a < 1.0, lambda a: (c.append(a * 2.0), c[0])[1], x), c[0] + 1.0][2])  # fmt: skip


# ------------------------------------------------------- numbers of steps that the run knows


def stepped(i: Any, c: Any) -> Any:
    return ra.sin(c) * 1.3 + 0.1 * i


COUNTS = {
    "any number": lambda n: n,
    "at most 40": lambda n: ra.minimum(n, 40),
    "twice as many": lambda n: 2 * n - n,
}


@pytest.mark.parametrize("bounded", COUNTS.values(), ids=COUNTS.keys())
@pytest.mark.parametrize("low, high", [(0, 0), (0, 1), (3, 20), (-4, 4), (5, 2), (0, 40)])
def test_loops_of_traced_bounds(low: int, high: int, bounded: Any) -> None:
    def f(x: Any, low: Any, high: Any) -> Any:
        return ra.fori_loop(low, bounded(high), stepped, x)

    def plain(x: Any) -> Any:
        for i in range(low, high):
            x = stepped(i, x)
        return x * 1.0

    def given(x: Any) -> Any:
        return traced(x, low, high)

    traced = ra.fn(f)
    close(given(X), ra.fn(plain)(X))
    close(ra.grad(given)(X), ra.grad(plain)(X))
    close(ra.jvp(given, (X,), (2.0,)), ra.jvp(plain, (X,), (2.0,)))
    close(ra.hessian(given)(X), ra.hessian(plain)(X), 1e-11)
    close(ra.fn(lambda x, high: f(x, low, high))(X, high), ra.fn(plain)(X))
    close(ra.interpret(traced.trace(X, low, high), [X, low, high])[0], ra.fn(plain)(X))


def test_loops_of_traced_bounds_in_lanes() -> None:
    f = ra.fn(lambda x, n: ra.fori_loop(0, n, stepped, x))
    xs, ns = np.linspace(0, 1, 6), np.array([0, 3, 9, 1, 300, 2])
    for g in (f, ra.grad(f), lambda x, n: ra.jvp(lambda x: f(x, n), (x,), (1.0,))[1]):
        close(ra.vmap(g)(xs, ns), np.array([g(x, n) for x, n in zip(xs, ns, strict=True)]))


def test_an_inner_loop_up_to_the_index_of_the_outer() -> None:
    def products(v: Any) -> Any:
        return ra.fori_loop(
            0,
            len(v),
            lambda i, total: ra.fori_loop(0, i, lambda j, t: t + v[i] * v[j], total),
            0.0,
        )

    close(ra.fn(products)(V), (V.sum() ** 2 - (V**2).sum()) / 2)
    close(ra.grad(products)(V), V.sum() - V)
    close(ra.hessian(products)(V), 1 - np.eye(len(V)))


@pytest.mark.parametrize("dtype", [int, np.int64, np.int32])
def test_bounds_of_any_kind_of_int(dtype: Any) -> None:
    f = ra.fn(lambda x: ra.fori_loop(dtype(1), dtype(4), lambda i, c: c * x + i, 0.0))
    assert f(2.0) == 11.0


def steps_taken(f: Any, args: Any) -> int:
    """The least power of two of instructions that are enough."""
    for most in (1 << k for k in range(8, 40)):
        try:
            ra.interpret(ra.fn(f).trace(*args), list(args), most)
        except ra.TooLong:
            continue
        return most
    raise AssertionError


@pytest.mark.parametrize("kind", ["fori", "while"])
def test_the_reverse_of_any_number_of_steps_takes_no_square_of_it(kind: str) -> None:
    def f(x: Any, n: Any) -> Any:
        if kind == "fori":
            return ra.fori_loop(0, n, stepped, x)
        return ra.while_loop(lambda c: c[1] < n, lambda c: (stepped(c[1], c[0]), c[1] + 1), (x, 0))[
            0
        ]

    few, many = (steps_taken(ra.grad(f), (X, n)) for n in (64, 1024))
    assert many <= 64 * few


def test_what_a_traced_bound_cannot_be() -> None:
    for bound, says in ((1.5, "integer"), (lambda x: x, "Ints")):
        high = bound if isinstance(bound, float) else None
        with pytest.raises(ra.TypeMismatch, match=says):
            ra.fn(lambda x, h=high: ra.fori_loop(0, x if h is None else h, stepped, x))(X)
    with pytest.raises(ra.TypeMismatch, match="not bounded"):
        ra.fn(lambda x, n: ra.fori_loop(0, n, stepped, x, checkpoint="sqrt"))(X, 3)
