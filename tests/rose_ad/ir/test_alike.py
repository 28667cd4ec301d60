"""Functions that do the same are one; those that differ in anything are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.queries import callees


def count(f: Callable[..., Any], *args: Any) -> Counter[str]:
    """How many functions of each name a program has."""
    return Counter(g.name for g in callees(ra.fn(f).trace(*args)))


def twice(change: Callable[[Any, int], Any], times: int = 2) -> Callable[[Any], Any]:
    """A function in which one that captures is called so often, in loops of its own."""

    def outer(x: Any) -> Any:
        captured = ra.sin(x)
        inner = ra.fn(lambda y, k: change(y * captured, k))
        inner.__name__ = "inner"
        total = x
        for k in range(times):
            total = ra.fori_loop(0, 3, lambda _, y, k=k: inner(y, float(k)), total)
        return total

    return outer


def test_what_captures_is_one_function_wherever_it_is_called() -> None:
    assert count(twice(lambda y, k: ra.cos(y) + k, 5), 0.3)["inner"] == 1


def test_so_are_its_derivatives() -> None:
    f = ra.grad(ra.fn(twice(lambda y, k: ra.cos(y) + k, 5)))
    names = Counter(g.name for g in callees(f.trace(0.3)))
    assert names["inner.fwd"] == 1
    assert names["inner.lin.T"] == 1


@pytest.mark.parametrize("runs", [1, 2, 9])
def test_python_that_has_warmed_up_is_at_the_same_places(runs: int) -> None:
    """Python 3.11 and later specialise instructions as they run, and stop elsewhere in them."""

    def change(y: Any, k: Any) -> Any:
        v = ra.array([y, y])
        return sum(v[r] * (v[r] + 1) for r in range(2)) + next(v[r] for r in range(2))

    assert count(twice(change, runs), 0.3)["inner"] == 1


def test_another_constant_is_another_function() -> None:
    made = iter(range(5))
    assert count(twice(lambda y, k: ra.cos(y) + next(made), 5), 0.3)["inner"] == 5


def test_zero_is_not_minus_zero() -> None:
    zeros = iter([0.0, -0.0])
    assert count(twice(lambda y, k: ra.maximum(y, next(zeros)), 2), 0.3)["inner"] == 2


def test_the_order_of_arguments_counts() -> None:
    turn = iter([False, True])
    f = twice(lambda y, k: y - k if next(turn) else k - y, 2)
    assert count(f, 0.3)["inner"] == 2


def test_values_are_those_of_python() -> None:
    def plain(x: float) -> float:
        captured, total = np.sin(x), x
        for k in range(4):
            for _ in range(3):
                total = np.cos(total * captured) + k
        return float(total)

    f = ra.fn(twice(lambda y, k: ra.cos(y) + k, 4))
    assert f(0.3) == pytest.approx(plain(0.3), rel=1e-14)
    d = (plain(0.3 + 1e-6) - plain(0.3 - 1e-6)) / 2e-6
    assert ra.grad(f)(0.3) == pytest.approx(d, rel=1e-7)


def test_each_call_has_the_values_captured_there() -> None:
    """The same program, but what it takes from around it is another value at each call."""

    def outer(x: Any) -> Any:
        total = 0.0
        for k in range(3):
            captured = x * (k + 1.0)
            total += ra.fn(lambda y, c=captured: y * c)(x)
        return total

    assert count(outer, 2.0)["<lambda>"] == 1
    assert ra.fn(outer)(2.0) == 24.0
    assert ra.grad(ra.fn(outer))(2.0) == 24.0
