"""What is made of a program, and the time to make it, grow as the program does.

A ratio of processor times for four times the size: some 4 where it is linear, 16 where it is quadratic.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra


def many_arguments(n: int) -> None:
    f = ra.fn(lambda *xs: sum(x * x for x in xs) * xs[0])
    assert ra.grad(f, (0, n - 1))(*[1.0] * n) == (n + 2.0, 2.0)


def gradient_in_all(n: int) -> None:
    f = ra.fn(lambda *xs: sum(x * x for x in xs))
    assert ra.grad(f, tuple(range(n)))(*[1.0] * n) == (2.0,) * n


def nested_branches(n: int) -> None:
    def chosen(k: int, y: Any) -> Any:
        return ra.cond(y > k, lambda: chosen(k - 1, y * 1.5), lambda: y) if k else y

    assert ra.grad(ra.fn(lambda x: chosen(n, x)))(1.0) == 1.0


def a_large_constant(n: int) -> None:
    table = np.ones(500 * n)
    assert ra.fn(lambda x: ra.sum(table * x))(2.0) == 1000.0 * n


def long_chain(n: int) -> None:
    def f(x: Any) -> Any:
        for _ in range(n):
            x = 0.5 * x + 0.25 * x * x
        return x

    assert 0.0 <= ra.grad(ra.fn(f))(0.5) < 1.0


def seconds(make: Callable[[int], None], n: int) -> float:
    """The least of three: what else the machine does only adds."""
    found = []
    for _ in range(3):
        start = time.process_time()
        make(n)
        found.append(time.process_time() - start)
    return min(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "n"),
    [
        (many_arguments, 600),
        (gradient_in_all, 400),
        (nested_branches, 40),
        (a_large_constant, 400),
        (long_chain, 200),
    ],
)
def test_four_times_the_size_takes_some_four_times_as_long(
    make: Callable[[int], None], n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSE_AD_CACHE", "off")
    make(3)
    assert seconds(make, 4 * n) < 9 * seconds(make, n)


def test_a_branch_inside_branches_is_computed_again_once() -> None:
    """The derivative of a branch in the n-th branch has n tests, not n of each of those around it."""

    def instructions(n: int) -> int:
        def chosen(k: int, y: Any) -> Any:
            return ra.cond(y > k, lambda: chosen(k - 1, y * 1.5), lambda: y) if k else y

        return len(ra.grad(ra.fn(lambda x: chosen(n, x))).lower(1.0).ir.splitlines())

    assert instructions(40) < 5 * instructions(10)
