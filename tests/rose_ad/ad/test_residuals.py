"""What the reverse pass remembers: dear values once, within bounds; what calls remember as few arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.checks import all_instructions, checked_gradient

FIELD = np.random.default_rng(1).normal(size=(6, 7))


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


# ---- What calls remember ----


def graph(depth: int) -> ra.Fn:
    """A function that calls one twice, that calls one twice, and so on."""
    f = ra.fn(lambda x: ra.sin(x) * x)
    for _ in range(depth):
        f = ra.fn(lambda x, g=f: g(x) * 0.5 + g(x + 1.0) * 0.3)
    return f


def in_closed_form(depth: int, x: float, order: int) -> float:
    """A derivative of `graph`: sums of those of x sin x, shifted by one k times of `depth`."""
    derivative = {
        0: lambda x: x * math.sin(x),
        1: lambda x: math.sin(x) + x * math.cos(x),
        2: lambda x: 2 * math.cos(x) - x * math.sin(x),
        3: lambda x: -3 * math.sin(x) - x * math.cos(x),
    }[order]
    terms = [
        math.comb(depth, k) * 0.3**k * 0.5 ** (depth - k) * derivative(x + k)
        for k in range(depth + 1)
    ]
    return math.fsum(terms)


def nth(f: Any, order: int) -> Any:
    for _ in range(order):
        f = ra.grad(f)
    return f


@pytest.mark.parametrize(
    "memory", ["4294967296", "16384"]
)  # with the least, much is computed again
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_a_graph_of_calls(
    order: int, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSE_AD_MEMORY", memory)
    depth = 9 if order < 3 else 6
    f = nth(graph(depth), order)
    monkeypatch.setenv("ROSE_AD_MEMORY", "4294967296") if order > 1 else None
    assert f(0.3) == pytest.approx(in_closed_form(depth, 0.3, order), rel=1e-11)
    xs = np.linspace(-1.0, 1.0, 7)
    expected = [in_closed_form(depth, x, order) for x in xs]
    np.testing.assert_allclose(ra.vmap(f)(xs), expected, rtol=1e-11)


def test_loops_of_a_graph_of_calls() -> None:
    g = graph(5)

    def f(x: Any, v: Any) -> Any:
        def step(i: Any, c: Any) -> Any:
            return ra.cond(c < 0.5, lambda: g(c) + v[i], lambda: 0.3 * g(c * v[i]))

        rows = ra.build(4, lambda k: g(v[k]) * x)
        return ra.fori_loop(0, 4, step, x) * g(x) + g(ra.sum(rows))

    checked_gradient(f, 0.3, np.array([0.2, -0.4, 0.7, 0.1]))


def test_calls_that_remember_arrays_of_every_type() -> None:
    """Floats of both widths, integers and bools, scalars and arrays of two axes."""

    def leaf(x: Any, m: Any, s: Any) -> Any:
        n = ra.to_int(4.0 * ra.abs(x))
        hit = m > x
        return ra.sum(ra.where(hit, ra.exp(m * x), m)) * n + ra.sum(ra.tanh(s) * s), s * s

    def f(x: Any, m: Any, s: Any) -> Any:
        total = 0.0
        for k in range(6):
            y, s = inner(x * (1.0 + 0.1 * k), m + 0.1 * k, s)
            total = total + ra.sin(y) + ra.sum(s)
        return total

    inner = ra.fn(leaf)
    single = np.linspace(0.1, 0.4, 3).astype(np.float32)
    (gradient, _, _), shown = checked_gradient(ra.fn(f), 0.7, FIELD[:2, :3], single)
    assert "join" in shown and np.isfinite(gradient)


def test_a_derivative_is_as_large_as_its_function() -> None:
    def size(depth: int, order: int) -> int:
        return sum(1 for _ in all_instructions(nth(graph(depth), order), 0.3))

    for order in (1, 2):
        for depth in (10, 20, 40):
            assert size(depth, order) <= 6**order * size(depth, 0)


def test_the_gradient_of_a_deep_graph_of_calls_is_compiled() -> None:
    """The graph has 2^40 paths: too many to run, and few functions."""
    deep = graph(40)
    for f in (deep, ra.grad(deep), ra.grad(ra.grad(deep))):
        assert f.lower(0.3).memory < 4 << 30
    assert ra.vmap(ra.grad(deep)).lower(np.zeros(4)).memory < 4 << 30


def test_one_large_call_is_remembered_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """To compute again what one call alone remembers would take as much memory."""
    monkeypatch.setenv("ROSE_AD_MEMORY", str(1 << 20))

    @ra.fn
    def long(x: Any) -> Any:
        return ra.fori_loop(0, 20_000, lambda i, c: ra.sin(c) + x, x)

    def once(x: Any) -> Any:
        return long(x) * 2.0

    def twice(x: Any) -> Any:
        return long(x) * long(x + 1.0)

    assert "= long(" not in ra.grad(once).lower(0.3).ir
    assert "= long(" in ra.grad(twice).lower(0.3).ir
    checked_gradient(twice, 0.3)
