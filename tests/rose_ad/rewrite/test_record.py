"""Recorded loops: the reverse pass goes through the iterations that did anything, and means the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.parsing import parse
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.verify import verify

N = 6
X = np.array([0.1, 0.4, -0.3, 0.9, 2.0, 0.35])


def pairs(x: Any) -> Any:
    """All pairs that are near each other."""
    force = ra.accum(N)
    for i in ra.range(N):
        for j in ra.range(i + 1, N):
            d = x[i] - x[j]
            with ra.when(d * d < 0.2):
                force[i] += ra.sin(3 * d)
                force[j] -= d * d
    return ra.sum(force.freeze() * np.arange(1.0, N + 1))


def pairs_in_time(x: Any) -> Any:
    """The same at every step: the lists are remembered with the carries."""

    def step(x: Any, _: Any) -> tuple[Any, Any]:
        push = ra.accum(N)
        for i in ra.range(N):
            for j in ra.range(i + 1, N):
                d = x[i] - x[j]
                with ra.when(d * d < 0.2):
                    with ra.when(d > 0):
                        push[i] += 0.1 * d
                        push[j] -= 0.2 * d
        return x + push.freeze(), x[0]

    x, first = ra.scan(step, x, None, 7)
    return ra.sum(x * x) + ra.sum(first)


def both_sides_act(x: Any) -> Any:
    total = ra.accum()
    for i in ra.range(N):
        with ra.when(x[i] > 0.3):
            total += x[i] ** 2
        with ra.when(x[i] <= 0.3):
            total += 3 * x[i]
    return total


def always_acts(x: Any) -> Any:
    total = ra.accum()
    for i in ra.range(N):
        total += x[i] * x[0]
        with ra.when(x[i] > 0.3):
            total += x[i] ** 3
    return total


def never_acts(x: Any) -> Any:
    total = ra.accum()
    for i in ra.range(N):
        with ra.when(x[i] > 100.0):
            total += x[i]
    return total + x[0]


@ra.fn
def bump(x: Any, i: Any) -> Any:
    return ra.cond(x[i] > 0.3, lambda: x[i] ** 2, lambda: 0.0)


def calls_inside(x: Any) -> Any:
    total = ra.accum()
    for i in ra.range(N):
        with ra.when(x[i] > 0.0):
            total += bump(x, i) * x[(i + 1) % N]
    return total


def rows_and_effects(x: Any) -> Any:
    total = ra.accum()

    def row(i: Any) -> Any:
        with ra.when(x[i] > 0.3):
            total.add(total.ref, x[i] ** 2)
        return x[i] * 2.0

    rows = ra.build(N, row)
    return total + ra.sum(rows * rows)


def in_a_branch(x: Any) -> Any:
    total = ra.accum()
    with ra.when(x[0] > 0.0):
        for i in ra.range(N):
            with ra.when(x[i] > 0.3):
                total += x[i] ** 2
    return total


def counts_only(x: Any) -> Any:
    near, total = ra.accum(ra.Int), ra.accum()
    for i in ra.range(N):
        with ra.when(x[i] > 0.3):
            near += 1
            total += x[i] ** 2
    return total * near.freeze()


def three_deep(x: Any) -> Any:
    total = ra.accum()
    for i in ra.range(N):
        for j in ra.range(N):
            for k in ra.range(j):
                with ra.when(x[i] * x[j] > 0.3):
                    total += x[i] * x[j] * x[k]
    return total


def while_it_lasts(x: Any) -> Any:
    def step(c: Any) -> Any:
        x, k = c
        push = ra.accum(N)
        for i in ra.range(N):
            with ra.when(x[i] < 1.0):
                push[i] += 0.5 * x[i] * x[i] + 0.1
        return x + push.freeze(), k + 1

    x, _ = ra.while_loop(lambda c: c[1] < 4, step, (x, 0), max_steps=10)
    return ra.sum(x**3)


def kept_few(x: Any) -> Any:
    """With few carries kept, the steps are run again."""

    def step(x: Any, _: Any) -> tuple[Any, Any]:
        push = ra.accum(N)
        for i in ra.range(N):
            with ra.when(x[i] < 1.0):
                push[i] += 0.1 * ra.cos(x[i])
        return x + push.freeze(), None

    return ra.sum(ra.scan(step, x, None, 9, checkpoint=3)[0] ** 2)


PROGRAMS: list[Callable[[Any], Any]] = [
    pairs, pairs_in_time, both_sides_act, always_acts, never_acts, calls_inside, rows_and_effects,
    in_a_branch, counts_only, three_deep, while_it_lasts, kept_few,
]  # fmt: skip
each = pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)


def differences(f: Callable[[Any], Any], x: Any, h: float = 1e-6) -> Any:
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


@each
def test_gradients(f: Callable[[Any], Any]) -> None:
    gradient = ra.grad(f)
    np.testing.assert_allclose(gradient(X), differences(ra.fn(f), X), rtol=1e-7, atol=1e-7)
    program = gradient.lower(X).program.function
    verify(program)
    np.testing.assert_allclose(ra.interpret(program, [X])[0], gradient(X), rtol=1e-13, atol=1e-13)


@each
def test_second_derivatives(f: Callable[[Any], Any]) -> None:
    u = np.array([0.3, -0.2, 0.5, 1.0, -0.7, 0.4])
    gradient = ra.grad(f)
    along = ra.jvp(gradient, (X,), (u,))[1]
    by_reverse = ra.grad(lambda x: ra.sum(gradient(x) * u))(X)
    h = 1e-6
    np.testing.assert_allclose(along, by_reverse, rtol=1e-11, atol=1e-11)
    slope = (gradient(X + h * u) - gradient(X - h * u)) / (2 * h)
    np.testing.assert_allclose(along, slope, rtol=1e-6, atol=1e-6)


@each
def test_text_of_derivatives_parses_back(f: Callable[[Any], Any]) -> None:
    program = ra.grad(f).lower(X).program.function
    again = parse(str(program))
    verify(again)
    assert str(again) == str(program)
    np.testing.assert_array_equal(ra.interpret(again, [X])[0], ra.interpret(program, [X])[0])


@pytest.mark.parametrize("f", [pairs, pairs_in_time, both_sides_act, counts_only, while_it_lasts])
def test_the_reverse_pass_goes_through_a_list(f: Callable[[Any], Any]) -> None:
    functions = callees(ra.grad(f).lower(X).program.function)
    filters = [i for g in functions for i in instructions(g.block) if i.op == "filter"]
    assert filters
    backward = next(g for g in functions if g.name.endswith(".lin.T"))
    assert any(i.op == "build" and i.args for i in instructions(backward.block))


def test_what_always_acts_is_not_recorded() -> None:
    functions = callees(ra.grad(always_acts).lower(X).program.function)
    assert not [i for g in functions for i in instructions(g.block) if i.op == "filter"]


@each
@pytest.mark.parametrize("size", [3, 4, 9])
def test_gradients_in_lanes(f: Callable[[Any], Any], size: int) -> None:
    """A list in lanes has what any of them did; each then does its own."""
    batch = X + np.random.default_rng(0).normal(scale=0.4, size=(size, N))
    gradient = ra.grad(f)
    expected = np.array([gradient(x) for x in batch])
    np.testing.assert_allclose(ra.vmap(gradient)(batch), expected, rtol=1e-12, atol=1e-12)
    of_sum = ra.grad(lambda b: ra.sum(ra.vmap(f)(b)))
    np.testing.assert_allclose(of_sum(batch), expected, rtol=1e-12, atol=1e-12)


def own_bounds(x: Any, first: Any) -> Any:
    """Each lane goes through indices of its own."""
    total = ra.accum()
    for i in ra.range(first, N):
        with ra.when(x[i] > 0.0):
            total += x[i] ** 2
    return total


def test_lists_of_lanes_with_their_own_bounds() -> None:
    batch = X + np.random.default_rng(1).normal(scale=0.4, size=(9, N))
    first = np.arange(9) % 5
    gradient = ra.grad(own_bounds)
    expected = np.array([gradient(x, int(k)) for x, k in zip(batch, first, strict=True)])
    np.testing.assert_allclose(ra.vmap(gradient)(batch, first), expected, rtol=1e-13)


def value_and_slope_of_both(x: Any) -> Any:
    """What a recorded loop adds is wanted again in the reverse pass of what uses it."""

    def step(_: Any, c: Any) -> Any:
        one, other = ra.accum(), ra.accum()
        for i in ra.range(N):
            with ra.when(c[i] > 0.2):
                one += ra.tanh(c[i])
            with ra.when(c[i] <= 0.2):
                other += c[i] ** 2
        a, b = one.freeze(), other.freeze()
        return c + 0.01 * ra.sin(a * b) * a

    return ra.sum(ra.fori_loop(0, 4, step, x, checkpoint=2) ** 2)


def test_values_added_in_recorded_loops_are_found_again() -> None:
    f = value_and_slope_of_both
    gradient = ra.grad(f)
    np.testing.assert_allclose(gradient(X), differences(ra.fn(f), X), rtol=1e-7, atol=1e-7)
    u = np.linspace(-1.0, 1.0, N)
    by_reverse = ra.grad(lambda x: ra.sum(gradient(x) * u))(X)
    np.testing.assert_allclose(ra.jvp(gradient, (X,), (u,))[1], by_reverse, rtol=1e-11, atol=1e-11)
