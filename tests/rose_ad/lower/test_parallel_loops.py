"""Loops whose rows are independent, which LLVM is told, with the values of interpreter and differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.checks import checked_gradient

DRAW = np.random.default_rng(7)


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
